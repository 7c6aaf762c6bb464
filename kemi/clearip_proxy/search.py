"""The sequential search of a target set (RFC 3261 §6, "serial forking" in Kamailio's words).

One target at a time; which failure moves the search on, and what the caller hears when it has
come to its end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import dropwhile

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import Decision, Fork, Noted, QueryClearIp, RelayResponse, Reply
from clearip_proxy.destination import aliased
from clearip_proxy.moment import Moment
from clearip_proxy.passport_age import is_stale
from clearip_proxy.policy import RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import (
    FinalResponse,
    HeaderChanges,
    ResponseContext,
    Target,
)
from clearip_proxy.sip.grammar import canonical_name
from clearip_proxy.sip.message import SipResponse
from clearip_proxy.sip.uri import parse_uri

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

NO_CHANGES = HeaderChanges()
SERVICE_UNAVAILABLE = 503
MAX_BRANCHES = 24
"""Attempts of one call; tm holds 30 branches, and the queries to ClearIP are some of them."""

SHORTEST_BRANCH_MS = 125
"""Two ticks of tm's timers (16 in a second), which may end a branch as much too early: another
target tried for what is left of the search would ring, and be canceled at once."""

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
_KEPT = {canonical_name(name): name for name in KEPT_HEADERS}


def failure_of(response: SipResponse) -> FinalResponse:
    """Keep of a target's final response what the caller may get to see later."""
    if response.status // 100 == 3:  # noqa: PLR2004 - the class of redirections
        return REDIRECTED
    headers = tuple([(_KEPT[name], value) for name, value in response.headers if name in _KEPT])
    return FinalResponse(response.status, response.reason_phrase, headers)


@dataclass(frozen=True, slots=True)
class Route:
    """A target, and what its branch loses and gets."""

    uri: str
    changes: HeaderChanges = NO_CHANGES


def configured_routes(
    route: Iterable[str], called_uri: str, changes: HeaderChanges = NO_CHANGES
) -> tuple[Route, ...]:
    """Make routes of a list in the configuration; the called user goes where none is named."""
    called = parse_uri(called_uri)
    return tuple(Route(aliased(uri, called), changes) for uri in route)


def start_search(
    routes: tuple[Route, ...],
    policy: SearchPolicy,
    now: Moment,
    clearip_uri: str = "",
) -> Decision:
    """Begin to search a target set that is not empty."""
    changes = tuple(dict.fromkeys(route.changes for route in routes))
    begun = ResponseContext(
        clearip_uri=clearip_uri,
        remaining=tuple(Target(route.uri, changes.index(route.changes)) for route in routes),
        changes=changes,
        search_ends_ms=now.monotonic_ms + policy.search_timeout_ms,
    )
    return resume_search(begun, policy, now)


def resume_search(context: ResponseContext, policy: SearchPolicy, now: Moment) -> Decision:
    """Go on with the targets that are left; the best response where the time is over."""
    return _next_branch(context, policy, now) or as_reply(context.best or REQUEST_TIMEOUT)


def after_target(
    outcome: BranchOutcome, context: ResponseContext, policy: RoutingPolicy, now: Moment
) -> Decision:
    """Decide what follows when the branch to a target has ended without a 2xx."""
    match outcome:
        case Canceled():
            return TERMINATED
        case NoResponse():
            return _after_failure(REQUEST_TIMEOUT, context, policy, now)
        case response:
            return _after_failure(failure_of(response), context, policy, now)


def _after_failure(
    failure: FinalResponse, context: ResponseContext, policy: RoutingPolicy, now: Moment
) -> Decision:
    if not moves_on(failure, policy.search):
        return RelayResponse()
    better = _without_alternates(context.with_failure(failure), failure)
    next_step = _next_branch(better, policy.search, now)
    if next_step is not None:
        return next_step
    if better.best is failure and failure is not REDIRECTED:
        return RelayResponse()
    return as_reply(better.best or failure)


def after_unreachable(context: ResponseContext, policy: RoutingPolicy, now: Moment) -> Decision:
    """Decide what follows when a branch could not even be sent.

    The last step is never to relay: Kamailio has dropped what was received before the branch.
    """
    better = context.with_failure(UNREACHABLE)
    return _next_branch(better, policy.search, now) or as_reply(better.best or UNREACHABLE)


def with_addresses(fork: Fork, next_hops: tuple[str, ...]) -> Fork:
    """Send a branch to the first address of its target, and keep the others in reserve."""
    first, *others = next_hops
    alternates = tuple(
        Target(fork.target, fork.context.current, hop, is_alternate=True) for hop in others
    )
    room = max(0, MAX_BRANCHES - fork.context.tried - len(fork.context.remaining))
    remaining = (*alternates[:room], *fork.context.remaining)
    return fork._replace(next_hop=first, context=fork.context._replace(remaining=remaining))


def awaiting(fork: Fork) -> ResponseContext:
    """Remember a branch that waits until the way to its target is known."""
    waiting = Target(fork.target, fork.context.current, fork.next_hop)
    return fork.context._replace(awaited=waiting)


def awaited_branch(context: ResponseContext, policy: SearchPolicy, now: Moment) -> Decision:
    """Take up the branch that has waited; the best response where the time is over."""
    time_left_ms = context.search_ends_ms - now.monotonic_ms
    if time_left_ms <= 0 or context.awaited is None:
        return as_reply(context.best or REQUEST_TIMEOUT)
    waited = context._replace(
        remaining=(context.awaited, *context.remaining), tried=context.tried - 1
    )
    return _fork(waited, policy, time_left_ms)._replace(was_asked=True)


def _without_alternates(context: ResponseContext, failure: FinalResponse) -> ResponseContext:
    """Pass over further addresses of a target that has answered otherwise than 503.

    RFC 3263 §4.3: another address is tried after a 503, a timeout or a transport failure.
    """
    if not failure.received or failure.status == SERVICE_UNAVAILABLE:
        return context
    remaining = tuple(dropwhile(lambda target: target.is_alternate, context.remaining))
    return context._replace(remaining=remaining)


def moves_on(failure: FinalResponse, policy: SearchPolicy) -> bool:
    """Tell whether a failure moves the search on: a person's or a network's "no" does not."""
    return not failure.received or failure.status in policy.advance_on


def as_reply(response: FinalResponse) -> Reply:
    """Turn a remembered response into one that the proxy sends itself."""
    return Reply(response.status, response.reason_phrase, response.headers)


def _next_branch(context: ResponseContext, policy: SearchPolicy, now: Moment) -> Decision | None:
    """Take the next target in turn; None at the end of the list or of the time."""
    time_left_ms = context.search_ends_ms - now.monotonic_ms
    if not context.remaining or time_left_ms < (SHORTEST_BRANCH_MS if context.tried else 1):
        return None
    fork = _fork(context, policy, time_left_ms)
    changes = context.changes[fork.context.current]
    if not context.tried or not is_stale(changes, policy.identity_max_age_s, now.unix_s):
        return fork
    if policy.on_stale_identity == "ask_again" and not context.asked_again:
        return QueryClearIp(context._replace(asked_again=True))
    note = "PASSporT is older than a strict verifier accepts"
    return Noted((note,), fork, counted="stale_passports")


def _fork(context: ResponseContext, policy: SearchPolicy, time_left_ms: int) -> Fork:
    target, *rest = context.remaining
    return Fork(
        target.uri,
        context._replace(
            remaining=tuple(rest),
            current=target.changes,
            tried=context.tried + 1,
            awaited=None,
        ),
        no_response_timeout_ms=min(policy.no_response_timeout_ms, time_left_ms),
        answer_timeout_ms=min(policy.answer_timeout_ms, time_left_ms),
        next_hop=target.next_hop,
    )
