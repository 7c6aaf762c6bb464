"""The judgement over a call: it accepts the good one and sees each thing that may be wrong."""

from collections.abc import Callable

import pytest

from inline_proxy.lab.expectations import Expected, faults, open_requests
from inline_proxy.lab.passage import Passage
from unit.lab.calls import SIGNED, answered_call, passage

EXPECTED = Expected(200, ("carrier A", "carrier B"))
UNSIGNED = (
    "The INVITE to carrier B carries {} Identity headers, which are not the 1 that ClearIP gave."
)
Change = Callable[[list[Passage]], list[Passage]]


def without(way: str, start: str) -> Change:
    """Take a message away."""
    sender = way.split(" > ", maxsplit=1)[0]
    return lambda call: [
        each
        for each in call
        if not (each.sender == sender and each.message.start_line.startswith(start))
    ]


def with_one_more(added: Passage) -> Change:
    """Add a message at the end."""
    return lambda call: [*call, added]


def test_good_call_has_no_fault() -> None:
    """As many sentences as there are faults."""
    assert list(faults(answered_call(), EXPECTED)) == []


def test_retransmitted_invite_is_no_second_attempt() -> None:
    """UDP repeats; a branch is an attempt."""
    again = passage(16, "proxy > carrier A", "INVITE sip:1@a", identity=SIGNED)
    call = answered_call()

    assert list(faults([*call[:6], again, *call[6:]], EXPECTED)) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (without("proxy > switch", "SIP/2.0 200"), "The switch got no answer instead of 200."),
        (
            with_one_more(passage(2000, "proxy > switch", "503 Service Unavailable")),
            "The switch got 503 instead of 200.",
        ),
        (
            lambda call: [passage(0, "proxy > switch", "302 Moved"), *call],
            "A redirect reached the switch.",
        ),
        (
            with_one_more(passage(2000, "proxy > carrier C", "INVITE sip:1@c", identity=SIGNED)),
            "Asked were carrier A, carrier B, carrier C instead of carrier A, carrier B.",
        ),
        (
            with_one_more(
                passage(2000, "proxy > ClearIP", "INVITE sip:1@sip.clearip.com", branch="again")
            ),
            "ClearIP was asked 2 times instead of once.",
        ),
        (
            with_one_more(passage(2000, "proxy > ClearIP", "BYE sip:1@sip.clearip.com")),
            "ClearIP got BYE, which is not for it.",
        ),
        (
            with_one_more(passage(2000, "proxy > carrier B", "INVITE sip:1@b")),
            UNSIGNED.format(0),
        ),
        (
            with_one_more(
                passage(2000, "proxy > carrier B", "INVITE sip:1@b", identity=(*SIGNED, *SIGNED))
            ),
            UNSIGNED.format(2),
        ),
        (
            with_one_more(
                passage(2000, "proxy > carrier B", "INVITE sip:1@b", identity=("changed",))
            ),
            UNSIGNED.format(1),
        ),
    ],
)
def test_fault_is_told_in_a_sentence(change: Change, complaint: str) -> None:
    """Each fault is seen for itself."""
    assert list(faults(change(answered_call()), EXPECTED)) == [complaint]


def test_ended_call_has_nothing_open() -> None:
    """Every request has its response, every INVITE its ACK."""
    assert open_requests(answered_call()) == []


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (without("switch > proxy", "SIP/2.0 200"), "BYE"),
        (without("switch > proxy", "ACK"), "INVITE"),
        (without("carrier A > proxy", "SIP/2.0 503"), "INVITE"),
    ],
)
def test_call_that_goes_on_has_something_open(change: Change, left: str) -> None:
    """A response or an ACK that is not there yet."""
    assert [each.message.method for each in open_requests(change(answered_call()))] == [left]
