"""What follows when ClearIP is asked once more, because a PASSporT grew old."""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest

from clearip_proxy.answering import Pending, after_clearip, after_unavailable
from clearip_proxy.decisions import Decision, Fork, Noted, RelayResponse
from clearip_proxy.moment import Moment
from clearip_proxy.policy import HeaderPolicy
from clearip_proxy.response_context import FinalResponse, HeaderChanges, ResponseContext, Target
from clearip_proxy.sip.message import SipResponse, parse_response
from unit.kemi.search_values import POLICY as SEARCH_POLICY

POLICY = replace(
    SEARCH_POLICY,
    search=replace(SEARCH_POLICY.search, on_stale_identity="ask_again"),
    headers=HeaderPolicy(("Identity", "P-Asserted-Identity")),
)
PENDING = Pending(called_uri="sip:+15551234567@proxy", now=Moment(1_000, 1_700_000_000))
OLD = HeaderChanges(added=(("Identity", "o.l.d"),))
ASKED_AGAIN = ResponseContext(
    clearip_uri="sip:+15551234567@sip.clearip.com",
    remaining=(Target("sip:1@left", 1), Target("sip:1@last", 1)),
    changes=(HeaderChanges(), OLD),
    best=FinalResponse(503, "First target"),
    search_ends_ms=100_000,
    tried=1,
    asked_again=True,
)


def answer(status: int, *headers: str) -> SipResponse:
    """ClearIP's second answer."""
    return parse_response("\r\n".join((f"SIP/2.0 {status} Phrase", *headers, "", "")))


def after(response: SipResponse, context: ResponseContext = ASKED_AGAIN) -> Decision:
    """What follows it, without what is logged of it."""
    decision = after_clearip(response, PENDING, context, POLICY)
    assert isinstance(decision, Noted)
    return decision.decision


def added(fork: Fork) -> tuple[tuple[str, str], ...]:
    """What the branch that is about to be sent gets."""
    return fork.context.changes[fork.context.current].added


def test_second_answer_signs_the_targets_that_are_left() -> None:
    """A call in the middle of its search goes on where it was, with the new PASSporT."""
    decision = after(answer(302, "Contact: <sip:1@other>", "Identity: n.e.w"))

    assert isinstance(decision, Fork)
    assert decision.target == "sip:1@left"
    assert added(decision) == (("Identity", "n.e.w"),)
    assert decision.context.remaining == (Target("sip:1@last", 0),)


def test_second_answer_signs_in_the_contact_of_a_target() -> None:
    """A PASSporT that a contact embeds is that target's; the others keep what they have."""
    decision = after(answer(302, "Contact: <sip:1@other>, <sip:1@left?Identity=n.e.w>"))

    assert isinstance(decision, Fork)
    assert added(decision) == (("Identity", "n.e.w"),)
    [last] = decision.context.remaining
    assert decision.context.changes[last.changes] == OLD


def test_second_answer_with_an_old_passport_is_the_last() -> None:
    """A ClearIP whose clock is behind is not asked again and again."""
    claims = urlsafe_b64encode(json.dumps({"iat": 1_600_000_000}).encode()).decode()
    decision = after(answer(302, f"Identity: aGVhZA.{claims}.c2ln"))

    assert isinstance(decision, Noted)
    assert decision.counted == "stale_passports"
    assert isinstance(decision.decision, Fork)
    assert decision.decision.target == "sip:1@left"


@pytest.mark.parametrize("status", [302, 404, 403])
def test_second_answer_without_identity_goes_on_with_the_old_one(status: int) -> None:
    """The question was about the signature alone."""
    decision = after(answer(status))

    assert isinstance(decision, Fork)
    assert added(decision) == OLD.added


def test_second_answer_that_refuses_ends_the_call() -> None:
    """ClearIP may block meanwhile."""
    assert after(answer(603)) == RelayResponse()


def test_fault_of_the_set_up_is_loud_in_a_second_answer_too() -> None:
    """The call goes on, and the operator hears of it."""
    decision = after_clearip(answer(403), PENDING, ASKED_AGAIN, POLICY)

    assert isinstance(decision, Noted)
    assert (decision.counted, decision.is_fault) == ("clearip_setup_faults", True)


def test_clearip_unavailable_the_second_time_goes_on_with_the_search() -> None:
    """No call is lost for a signature."""
    decision = after_unavailable(PENDING, ASKED_AGAIN, POLICY, retry_after_s=5)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:1@left"
