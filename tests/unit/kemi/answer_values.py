"""The values that the tests of ClearIP's answers begin with."""

from dataclasses import replace

from clearip_proxy.answering import Pending, after_clearip
from clearip_proxy.branch_outcome import BranchOutcome
from clearip_proxy.decisions import Decision, Noted
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy, HeaderPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sip.message import SipResponse, parse_response
from clearip_proxy.sources import TrustedSources

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy(
        "sip.clearip.com",
        "sip.clearip.com",
        2_000,
        diversion_hosts=frozenset({"captcha.clearip.com"}),
    ),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(),
    headers=HeaderPolicy(("Identity", "P-Asserted-Identity")),
)
WITH_DEFAULT_ROUTE = replace(
    POLICY,
    clearip=replace(POLICY.clearip, on_no_route="default_route", on_unavailable="default_route"),
    default_route=("sip:gw1.example.net", "sips:fixed@gw2.example.net"),
)
ASKED = ResponseContext(clearip_uri="sip:+15551234567@sip.clearip.com")
PENDING = Pending(called_uri="sip:+15551234567;npdi@proxy", now=Moment(1_000, 1_700_000_000))


def response(status: int, *headers: str) -> SipResponse:
    """A final response of ClearIP."""
    return parse_response("\r\n".join((f"SIP/2.0 {status} Phrase", *headers, "", "")))


def step_after(
    outcome: BranchOutcome,
    policy: RoutingPolicy = POLICY,
    pending: Pending = PENDING,
    context: ResponseContext = ASKED,
) -> Decision:
    """What follows ClearIP's answer, without what is logged of it."""
    decision = after_clearip(outcome, pending, context, policy)
    return decision.decision if isinstance(decision, Noted) else decision
