"""Targets with several addresses, and targets whose addresses are not known yet."""

import pytest

from clearip_proxy.branch_outcome import BranchOutcome, NoResponse
from clearip_proxy.decisions import Fork, Reply
from clearip_proxy.moment import Moment
from clearip_proxy.response_context import ResponseContext, Target
from clearip_proxy.search import after_target, awaited_branch, awaiting, with_addresses
from unit.kemi.search_values import POLICY, SEARCH, response

FORK = Fork(
    "sip:1@gw.test",
    ResponseContext(remaining=(Target("sip:1@other"),), search_ends_ms=9_000, tried=1),
    700,
    6_000,
)


def test_first_address_is_tried_and_the_others_stay_in_reserve() -> None:
    """Before the targets that are left, as addresses of the same target."""
    fork = with_addresses(FORK, ("sip:a", "sip:b"))

    assert fork.next_hop == "sip:a"
    assert fork.context.remaining == (
        Target("sip:1@gw.test", 0, "sip:b", is_alternate=True),
        Target("sip:1@other"),
    )


def test_addresses_never_make_more_branches_than_a_transaction_holds() -> None:
    """The targets that ClearIP named keep their places."""
    crowded = FORK.context._replace(remaining=(Target("sip:1@other"),) * 22)

    fork = with_addresses(FORK._replace(context=crowded), ("sip:a", "sip:b", "sip:c"))

    assert len(fork.context.remaining) == 23
    assert fork.context.remaining[-22:] == crowded.remaining


@pytest.mark.parametrize(
    ("outcome", "target"),
    [
        (response(503), "sip:b"),
        (NoResponse(), "sip:b"),
        (response(500), ""),
    ],
)
def test_another_address_follows_a_503_or_silence_alone(
    outcome: BranchOutcome, target: str
) -> None:
    """RFC 3263 §4.3; what has answered otherwise speaks for all its addresses."""
    context = with_addresses(FORK, ("sip:a", "sip:b")).context

    step = after_target(outcome, context, POLICY, Moment(0))

    assert isinstance(step, Fork)
    assert step.next_hop == target


def test_awaited_branch_is_taken_up_as_it_was() -> None:
    """Only the time that has passed is missing from its timers."""
    step = awaited_branch(awaiting(FORK), SEARCH, Moment(8_000))

    assert isinstance(step, Fork)
    assert (step.target, step.context) == (FORK.target, FORK.context)
    assert step.was_asked
    assert step.no_response_timeout_ms == 1_000


def test_awaited_address_is_taken_up_as_it_was() -> None:
    """One of several, when it is its turn."""
    step = awaited_branch(awaiting(FORK._replace(next_hop="sip:b")), SEARCH, Moment(0))

    assert isinstance(step, Fork)
    assert step.next_hop == "sip:b"


def test_awaited_branch_whose_time_is_over_is_answered() -> None:
    """The look-up took longer than the whole search may."""
    assert awaited_branch(awaiting(FORK), SEARCH, Moment(9_000)) == Reply(408, "Request Timeout")


def test_silence_while_waiting_moves_on_to_the_next_target() -> None:
    """A name server that takes longer than a target may costs that target."""
    step = after_target(NoResponse(), awaiting(FORK), POLICY, Moment(0))

    assert isinstance(step, Fork)
    assert step.target == "sip:1@other"
