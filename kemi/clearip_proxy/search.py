"""The sequential search of a target set (RFC 3261 §6, "serial forking" in Kamailio's words).

One target at a time; which failure moves the search on, and what the caller hears when it has
come to its end.
"""

from dataclasses import replace

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import Fork, RelayResponse, Reply, Step
from clearip_proxy.message import SipResponse
from clearip_proxy.policy import RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import (
    FinalResponse,
    HeaderChanges,
    ResponseContext,
)

TERMINATED = Reply(487, "Request Terminated")
"""The answer to an INVITE whose caller has given up (RFC 3261 §9.2)."""

REQUEST_TIMEOUT = FinalResponse(408, "Request Timeout", received=False)
"""Stands for a target that stayed silent, or rang for too long (RFC 3261 §16.8)."""

UNREACHABLE = FinalResponse(
    503,
    "Service Unavailable",
    (("Reason", 'SIP;cause=503;text="target unreachable"'),),
    received=False,
)
"""Stands for a target that refused the connection (RFC 3261 §16.9)."""

REDIRECTED = FinalResponse(
    502, "Bad Gateway", (("Reason", 'SIP;cause=502;text="target redirected"'),), received=False
)
"""Stands for a target that answered a 3xx, which the caller must never see."""

KEPT_HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Allow",
    "Call-Info",
    "Error-Info",
    "Proxy-Authenticate",
    "Reason",
    "Retry-After",
    "Supported",
    "Unsupported",
    "WWW-Authenticate",
    "Warning",
)
"""What a response keeps when it is sent after later targets have failed (RFC 3261 §20)."""


def failure_of(response: SipResponse) -> FinalResponse:
    """Keep of a target's final response what the caller may get to see later."""
    if response.status // 100 == 3:  # noqa: PLR2004 - the class of redirections
        return REDIRECTED
    headers = tuple((name, value) for name in KEPT_HEADERS for value in response.values(name))
    return FinalResponse(response.status, response.reason_phrase, headers)


def start_search(
    routes: tuple[str, ...], changes: HeaderChanges, policy: SearchPolicy, now_ms: int
) -> Step:
    """Begin to search a target set that is not empty."""
    context = ResponseContext(
        remaining=routes, changes=changes, search_ends_ms=now_ms + policy.search_timeout_ms
    )
    return _next_branch(context, policy, now_ms) or as_reply(REQUEST_TIMEOUT)


def after_target(
    outcome: BranchOutcome, context: ResponseContext, policy: RoutingPolicy, now_ms: int
) -> Step:
    """Decide what follows when the branch to a target has ended without a 2xx."""
    match outcome:
        case Canceled():
            return TERMINATED
        case NoResponse():
            return _after_failure(REQUEST_TIMEOUT, context, policy, now_ms)
        case response:
            return _after_failure(failure_of(response), context, policy, now_ms)


def _after_failure(
    failure: FinalResponse, context: ResponseContext, policy: RoutingPolicy, now_ms: int
) -> Step:
    if not moves_on(failure, policy.search):
        return RelayResponse()
    better = context.with_failure(failure)
    next_step = _next_branch(better, policy.search, now_ms)
    if next_step is not None:
        return next_step
    if better.best is failure and failure is not REDIRECTED:
        return RelayResponse()
    return as_reply(better.best or failure)


def after_unreachable(context: ResponseContext, policy: RoutingPolicy, now_ms: int) -> Step:
    """Decide what follows when a branch could not even be sent.

    The last step is never to relay: Kamailio has dropped what was received before the branch.
    """
    better = context.with_failure(UNREACHABLE)
    return _next_branch(better, policy.search, now_ms) or as_reply(better.best or UNREACHABLE)


def moves_on(failure: FinalResponse, policy: SearchPolicy) -> bool:
    """Tell whether a failure moves the search on: a person's or a network's "no" does not."""
    return not failure.received or failure.status in policy.advance_on


def as_reply(response: FinalResponse) -> Reply:
    """Turn a remembered response into one that the proxy sends itself."""
    return Reply(response.status, response.reason_phrase, response.headers)


def _next_branch(context: ResponseContext, policy: SearchPolicy, now_ms: int) -> Fork | None:
    """Take the next target in turn; None at the end of the list or of the time."""
    time_left_ms = context.search_ends_ms - now_ms
    if not context.remaining or time_left_ms <= 0:
        return None
    target, *rest = context.remaining
    return Fork(
        target,
        replace(context, remaining=tuple(rest), tried=context.tried + 1),
        no_response_timeout_ms=min(policy.no_response_timeout_ms, time_left_ms),
        answer_timeout_ms=min(policy.answer_timeout_ms, time_left_ms),
    )
