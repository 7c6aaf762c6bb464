"""From the records of the actors to the order in which a call happened."""

import pytest

from inline_proxy.lab.message import Message
from inline_proxy.lab.passage import Passage, one_call, seen_by
from inline_proxy.lab.sipp_trace import Traced
from unit.lab.calls import answered_call, passage


def starts(passages: list[Passage]) -> list[str]:
    """Give who sends what, in order."""
    return [f"{each.sender}: {each.message.start_line}" for each in passages]


def test_record_of_an_actor_tells_both_ends() -> None:
    """Everybody in the lab talks to the proxy alone."""
    text = "BYE sip:1@a SIP/2.0\r\nCall-ID: one\r\n\r\n"
    received, sent = seen_by("carrier A", [Traced(10, "received", text), Traced(11, "sent", text)])

    assert (received.sender, received.receiver) == ("proxy", "carrier A")
    assert (sent.sender, sent.receiver) == ("carrier A", "proxy")
    assert sent.message == Message.parse(text)
    assert sent.call_id == "one"


def test_message_sent_is_taken_to_have_left_before_it_was_noted() -> None:
    """By a millisecond at most, and never before what the actor had seen until then."""
    times = [
        each.time
        for each in seen_by(
            "switch",
            [Traced(10.0, "received", ""), Traced(10.0004, "sent", ""), Traced(12, "sent", "")],
        )
    ]

    assert times == [10.0, 10.0, pytest.approx(11.999)]


def test_other_calls_are_left_out_and_the_rest_is_in_order_of_time() -> None:
    """The records of all actors are thrown together before."""
    call = answered_call()
    other = Passage(0, "switch", "proxy", Message.parse("INVITE sip:2@p SIP/2.0\r\ni: two\r\n\r\n"))

    assert one_call([other, *reversed(call)], "one") != []
    assert starts(one_call([other, *sorted(call, key=lambda each: each.sender)], "two")) == [
        "switch: INVITE sip:2@p SIP/2.0"
    ]
    assert [each.time for each in one_call([*reversed(call)], "one")] == sorted(
        each.time for each in call
    )


def test_cause_that_was_noted_late_comes_before_what_is_relayed() -> None:
    """A carrier's 200 cannot be later than the same 200 at the switch."""
    ordered = one_call(
        [
            passage(0, "proxy > carrier A", "INVITE sip:1@a"),
            passage(5, "proxy > switch", "200 OK"),
            passage(9, "carrier A > proxy", "200 OK"),
        ],
        "one",
    )

    assert [each.sender for each in ordered] == ["proxy", "carrier A", "proxy"]
    assert ordered[1].time == ordered[2].time


def test_cause_that_came_much_later_is_left_where_it_is() -> None:
    """Twenty milliseconds are no matter of notes: then the proxy did not wait for it."""
    ordered = one_call(
        [passage(0, "proxy > switch", "200 OK"), passage(40, "carrier A > proxy", "200 OK")], "one"
    )

    assert [each.sender for each in ordered] == ["proxy", "carrier A"]


@pytest.mark.parametrize(
    ("of_the_proxy", "of_another", "cseq"),
    [
        ("proxy > switch|100 Trying", "carrier A > proxy|100 Trying", "1 INVITE"),
        ("proxy > switch|200 OK", "carrier A > proxy|200 OK", "1 CANCEL"),
        ("proxy > carrier A|CANCEL sip:1@a", "switch > proxy|CANCEL sip:1@p", "1 CANCEL"),
    ],
)
def test_what_belongs_to_one_hop_is_not_moved(
    of_the_proxy: str, of_another: str, cseq: str
) -> None:
    """The proxy says these of its own."""
    way, start = of_the_proxy.split("|")
    other_way, other_start = of_another.split("|")
    ordered = one_call(
        [passage(0, way, start, cseq=cseq), passage(2, other_way, other_start, cseq=cseq)], "one"
    )

    assert [each.sender for each in ordered] == ["proxy", other_way.split(" > ")[0]]


def test_ack_of_a_refusal_is_not_taken_for_a_relayed_one() -> None:
    """It has the branch of its INVITE; that of a 200 has a branch of its own."""
    refused = one_call(
        [
            passage(0, "proxy > carrier A", "INVITE sip:1@a", branch="x"),
            passage(1, "proxy > carrier A", "ACK sip:1@a", branch="x"),
            passage(2, "switch > proxy", "ACK sip:1@p", branch="y"),
        ],
        "one",
    )
    answered = one_call(
        [
            passage(0, "proxy > carrier A", "INVITE sip:1@a", branch="x"),
            passage(1, "proxy > carrier A", "ACK sip:1@a", branch="z"),
            passage(2, "switch > proxy", "ACK sip:1@a", branch="y"),
        ],
        "one",
    )

    assert [each.sender for each in refused] == ["proxy", "proxy", "switch"]
    assert [each.sender for each in answered] == ["proxy", "switch", "proxy"]
