"""Which connection a call takes, and which it takes after that."""

import itertools

from clearip_proxy.sites.site_lines import MAX_ASKED, Line, from_text, in_turn, to_text


def line(site: str, hop: str) -> Line:
    """A line with a connection."""
    return Line(f"sip:{site}", f"sip:{hop}", 1)


FIRST = (line("a", "1"), line("a", "2"), line("a", "3"))
SECOND = (line("b", "4"),)
LINES = from_text(to_text((*FIRST, *SECOND)))


def never() -> str:
    """A Call-ID that nobody may read."""
    raise AssertionError


def test_lines_that_were_written_are_read_by_site() -> None:
    """In the order in which they were written."""
    assert LINES == (FIRST, SECOND)
    assert from_text(to_text(())) == ()


def test_calls_are_shared_among_the_addresses_of_a_site() -> None:
    """Each of them is in use, and each call takes the others after it, then the next site."""
    turns = [in_turn(LINES, (), f"call-{number}".__str__) for number in range(50)]

    assert {turn[0] for turn in turns} == set(FIRST)
    for turn in turns:
        assert sorted(turn[:3]) == sorted(FIRST)
        assert turn[3:] == list(SECOND)


def test_call_keeps_its_turn_and_leaves_out_what_it_has_asked() -> None:
    """No address is asked twice."""
    whole = in_turn(LINES, (), lambda: "call")

    for count in range(len(whole)):
        asked = tuple(each.hop for each in whole[:count])
        assert in_turn(LINES, asked, lambda: "call") == whole[count:]


def test_call_asks_a_few_addresses_at_most() -> None:
    """Each may cost a whole timeout."""
    lines = tuple((line("a", str(number)),) for number in range(9))

    assert len(in_turn(lines, (), never)) == MAX_ASKED
    assert in_turn(lines, ("sip:0", "sip:1", "sip:2", "sip:3"), never) == []


def test_call_id_is_only_read_where_there_is_a_choice() -> None:
    """It costs time."""
    assert in_turn((SECOND, SECOND), (), never) == list(itertools.chain(SECOND, SECOND))
