"""The values that the tests of the search begin with."""

from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import ResponseContext, Target
from clearip_proxy.sip.message import SipResponse
from clearip_proxy.sources import TrustedSources

SEARCH = SearchPolicy(
    no_response_timeout_ms=4_000,
    answer_timeout_ms=60_000,
    search_timeout_ms=120_000,
    advance_on=frozenset({408, 500, 502, 503, 504}),
)
POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SEARCH,
    trusted=TrustedSources(),
)
ONE_LEFT = ResponseContext(
    remaining=(Target("sip:next@192.0.2.2"),), search_ends_ms=120_000, tried=1
)
NONE_LEFT = ONE_LEFT._replace(remaining=())


def response(status: int, **headers: str) -> SipResponse:
    """A final response of a target; `Retry_After` stands for Retry-After."""
    named = tuple((name.replace("_", "-").lower(), value) for name, value in headers.items())
    return SipResponse(headers=named, faults=(), status=status, reason_phrase="Phrase")
