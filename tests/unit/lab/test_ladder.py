"""The ladder, drawn from made-up calls and compared line by line."""

import pytest

from inline_proxy.lab.ladder import Tone, draw
from inline_proxy.lab.passage import Passage
from unit.lab.calls import answered_call, passage

ACTORS = ("switch", "proxy", "ClearIP", "carrier A", "carrier B")


def test_call_that_fails_over_is_drawn_whole() -> None:
    """Every message once, in its place; notes to the right."""
    assert str(draw(answered_call(), ACTORS)) == GOLDEN.strip("\n")


def test_retransmission_is_marked_and_a_new_attempt_is_not() -> None:
    """The same message again is the same branch; another branch is another attempt."""
    ladder = draw(
        [
            passage(0, "proxy > carrier A", "INVITE sip:1@a", branch="x"),
            passage(500, "proxy > carrier A", "INVITE sip:1@a", branch="x"),
            passage(900, "proxy > carrier A", "INVITE sip:1@a", branch="y"),
        ],
        ["proxy", "carrier A"],
    )

    assert [row.text.rsplit("│", 1)[1].strip() for row in ladder.rows] == [
        "sip:1@a",
        "again  sip:1@a",
        "sip:1@a",
    ]


def test_ringing_of_another_target_is_no_retransmission() -> None:
    """Both belong to the same INVITE of the switch; the To tag tells who rings."""
    ladder = draw(
        [
            passage(0, "proxy > switch", "180 Ringing", to_tag="a"),
            passage(1, "proxy > switch", "180 Ringing", to_tag="b"),
            passage(2, "proxy > switch", "180 Ringing", to_tag="b"),
        ],
        ["switch", "proxy"],
    )

    assert [row.text.endswith("again") for row in ladder.rows] == [False, False, True]


@pytest.mark.parametrize(
    ("values", "mark"),
    [((), ""), (("a;ppt=x",), "Identity"), (("a;ppt=x, b;ppt=y", "c"), "Identity x3")],
)
def test_signatures_are_counted_however_they_are_joined(values: tuple[str, ...], mark: str) -> None:
    """Two lines or one with a comma are two signatures."""
    ladder = draw(
        [passage(0, "ClearIP > proxy", "302 Moved", identity=values)], ["proxy", "ClearIP"]
    )

    assert ladder.rows[0].text.rsplit("│", 1)[1].strip() == mark


def test_time_is_in_milliseconds_since_the_first_message() -> None:
    """Rounded, and right-aligned up to 99 seconds."""
    ladder = draw(
        [
            passage(7, "switch > proxy", "INVITE sip:1@p"),
            passage(12_352, "proxy > switch", "408 Timeout"),
        ],
        ["switch", "proxy"],
    )

    assert [row.text[:5] for row in ladder.rows] == ["    0", "12345"]


def test_kind_of_each_message_is_told() -> None:
    """For whoever colours the rows."""
    ladder = draw(
        [
            passage(0, "switch > proxy", "INVITE sip:1@p"),
            *(
                passage(1, "proxy > switch", f"{status} X")
                for status in (180, 200, 302, 404, 503, 603)
            ),
        ],
        ["switch", "proxy"],
    )

    assert [row.tone for row in ladder.rows] == [
        Tone.REQUEST,
        Tone.PROVISIONAL,
        Tone.SUCCESS,
        Tone.REDIRECT,
        *[Tone.REFUSAL] * 3,
    ]


def test_arrow_lies_between_begin_and_end() -> None:
    """What is coloured is the arrow and nothing else."""
    for row in draw(answered_call(), ACTORS).rows:
        arrow = row.text[row.begin : row.end]
        assert set(arrow[0] + arrow[-1]) in ({"<", "─"}, {"─", ">"})
        assert row.text[row.begin - 1] == "│"
        assert row.text[row.end] == "│"


def test_longest_phrase_fits_between_its_lifelines() -> None:
    """A label is never cut, wherever its arrow goes."""
    phrase = "480 " + "Nobody " * 9
    ladder = draw([passage(0, "carrier A > proxy", phrase)], ["proxy", "ClearIP", "carrier A"])

    assert f" {phrase.strip()} " in str(ladder)


def test_call_without_messages_is_only_a_heading() -> None:
    """Nothing happened, and that is what is shown."""
    assert draw([], ["switch", "proxy"]).rows == ()


def test_stranger_is_refused() -> None:
    """A message cannot be drawn to somebody without a column."""
    stray: list[Passage] = [passage(0, "proxy > carrier Z", "INVITE sip:1@z")]

    with pytest.raises(ValueError, match="carrier Z"):
        draw(stray, ["switch", "proxy"])


GOLDEN = """
   ms  switch           proxy                     ClearIP    carrier A   carrier B
    0     │─── INVITE ───>│                          │           │           │  sip:1@proxy
    1     │<─ 100 Trying ─│                          │           │           │
    3     │               │───────── INVITE ────────>│           │           │  sip:1@clearip
   14     │               │<─ 302 Moved Temporarily ─│           │           │  Identity
   15     │               │────────── ACK ──────────>│           │           │
   15     │               │─────────────── INVITE ──────────────>│           │  Identity  sip:1@a
   18     │               │<────── 503 Service Unavailable ──────│           │
   18     │               │──────────────── ACK ────────────────>│           │
   20     │               │───────────────────── INVITE ────────────────────>│  Identity  sip:1@b
   29     │               │<───────────────────── 200 OK ────────────────────│
   30     │<─── 200 OK ───│                          │           │           │
   31     │──── ACK ─────>│                          │           │           │
   32     │               │────────────────────── ACK ──────────────────────>│
 1032     │               │<────────────────────── BYE ──────────────────────│
 1033     │<──── BYE ─────│                          │           │           │
 1034     │─── 200 OK ───>│                          │           │           │
 1035     │               │───────────────────── 200 OK ────────────────────>│
"""
