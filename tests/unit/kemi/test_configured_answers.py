"""What follows an answer whose meaning the operator has set apart from the table."""

from dataclasses import replace

import pytest

from clearip_proxy.answering import after_clearip
from clearip_proxy.decisions import Fork, Noted, RelayResponse, Reply
from clearip_proxy.verdict import Verdict
from unit.kemi.answer_values import (
    ASKED,
    PENDING,
    POLICY,
    WITH_DEFAULT_ROUTE,
    response,
    step_after,
)


def test_code_is_treated_as_configured() -> None:
    """An operator may know better what a code of this account means."""
    policy = replace(
        WITH_DEFAULT_ROUTE,
        clearip=replace(WITH_DEFAULT_ROUTE.clearip, answers={403: Verdict.REFUSE}),
    )

    assert step_after(response(403), policy) == RelayResponse()


@pytest.mark.parametrize("verdict", [Verdict.NO_ROUTE, Verdict.REFUSE, Verdict.SETUP_FAULT])
def test_redirection_is_not_relayed_whatever_it_means(verdict: Verdict) -> None:
    """The caller never sees a 3xx, nor the hosts in it."""
    policy = replace(POLICY, clearip=replace(POLICY.clearip, answers={302: verdict}))

    decision = step_after(response(302, "Contact: <sip:1@real>"), policy)

    assert isinstance(decision, Reply)
    assert decision.status == 503


@pytest.mark.parametrize(("status", "target"), [(404, "sip:1@real"), (503, "sip:1@real")])
def test_failure_that_is_configured_as_a_route_is_followed(status: int, target: str) -> None:
    """Another service may redirect by another code."""
    policy = replace(POLICY, clearip=replace(POLICY.clearip, answers={status: Verdict.ROUTE}))

    decision = step_after(response(status, "Contact: <sip:1@real>"), policy)

    assert isinstance(decision, Fork)
    assert decision.target == target


def test_failure_that_is_configured_as_a_route_and_has_none_is_no_route() -> None:
    """It follows `on_no_route`, and its own code goes to the caller."""
    answers = {404: Verdict.ROUTE}
    relaying = replace(POLICY, clearip=replace(POLICY.clearip, answers=answers))
    routing = replace(
        WITH_DEFAULT_ROUTE, clearip=replace(WITH_DEFAULT_ROUTE.clearip, answers=answers)
    )

    assert step_after(response(404), relaying) == RelayResponse()
    assert isinstance(step_after(response(404), routing), Fork)


def test_fault_of_the_set_up_is_counted_and_loud() -> None:
    """An operator must act on it; a 404 is nothing of the kind."""
    fault = after_clearip(response(403), PENDING, ASKED, POLICY)
    well = after_clearip(response(404), PENDING, ASKED, POLICY)

    assert isinstance(fault, Noted)
    assert (fault.counted, fault.is_fault) == ("clearip_setup_faults", True)
    assert isinstance(well, Noted)
    assert (well.counted, well.is_fault) == ("", False)
