"""The decisions: what becomes of a request, and what follows ClearIP's answer.

Pure functions from values to values. A policy decision stands here, in `clearip.py` (what an
answer means) or in `search.py` (what a target's failure means) and nowhere else; nothing here
knows that Kamailio exists.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.clearip import (
    ClearIpResponse,
    Verdict,
    is_route,
    read_response,
    verdict_of,
)
from clearip_proxy.decisions import (
    CancelBranches,
    Decision,
    Discard,
    FollowRoute,
    Noted,
    QueryClearIp,
    RelayResponse,
    Reply,
    Step,
)
from clearip_proxy.identity import merge_identities
from clearip_proxy.policy import RoutingPolicy, TrustedSource
from clearip_proxy.response_context import HeaderChanges, ResponseContext
from clearip_proxy.search import TERMINATED, start_search
from clearip_proxy.uri import MalformedUri, Uri, parse_uri

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO"
"""What the proxy handles (RFC 3261 §20.5): dialogs that an INVITE began, and OPTIONS."""

_VISUAL_SEPARATORS = str.maketrans("", "", "-.()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What arrived, as far as the first decision needs it."""

    method: str
    uri: str
    source_address: str
    has_to_tag: bool = False
    hops_left: bool = True
    """False when Max-Forwards was 0."""
    proxy_require: str | None = None
    is_well_formed: bool = True
    now_ms: int = 0
    """When it arrived, on the machine's monotonic clock."""


def on_request(request: Request, policy: RoutingPolicy) -> Decision:
    """Decide what becomes of a request that no transaction has absorbed."""
    if request.has_to_tag or request.method == "ACK":
        return _in_dialog(request)
    source = policy.source_of(request.source_address)
    if source is None:
        return Discard(f"{request.source_address} is not a trusted source")
    if not request.is_well_formed:
        return Reply(400, "Bad Request")
    return _out_of_dialog(request, source, policy)


def _out_of_dialog(request: Request, source: TrustedSource, policy: RoutingPolicy) -> Decision:
    match request.method:
        case "INVITE":
            return _unforwardable(request) or _initial_invite(request, source, policy)
        case "CANCEL":
            return CancelBranches()
        case "OPTIONS":
            return Reply(200, "OK", (("Allow", ALLOW),))
        case _:
            return Reply(405, "Method Not Allowed", (("Allow", ALLOW),))


def _in_dialog(request: Request) -> Decision:
    """An ACK is never answered (RFC 3261 §8.2.6.1), whatever is wrong with it."""
    if request.method == "ACK":
        return FollowRoute("ACK") if request.hops_left else Discard("ACK without hops left")
    return _unforwardable(request) or FollowRoute(request.method)


def _unforwardable(request: Request) -> Reply | None:
    """Check what every forwarded request must have (RFC 3261 §16.3)."""
    if not request.hops_left:
        return Reply(483, "Too Many Hops")
    if request.proxy_require is not None:
        return Reply(420, "Bad Extension", (("Unsupported", request.proxy_require),))
    return None


def _initial_invite(request: Request, source: TrustedSource, policy: RoutingPolicy) -> Decision:
    try:
        uri = parse_uri(request.uri)
    except MalformedUri:
        return Reply(400, "Bad Request-URI")
    if not uri.user:
        return Reply(484, "Address Incomplete")
    if _dialled_number(uri.user) in policy.emergency_numbers:
        return _emergency(uri.user, policy, request.now_ms)
    return QueryClearIp(ResponseContext(clearip_uri=_clearip_uri(uri, source, policy)))


def _dialled_number(user: str) -> str:
    """Return the number without its parameters and visual separators (RFC 3966 §5.1.1)."""
    return user.partition(";")[0].translate(_VISUAL_SEPARATORS)


def _clearip_uri(uri: Uri, source: TrustedSource, policy: RoutingPolicy) -> str:
    """Keep the user to the letter; the host carries the partition (ClearIP's documentation)."""
    partition = source.partition or policy.clearip.partition
    prefix = f"{partition}." if partition else ""
    return f"sip:{uri.user}@{prefix}{policy.clearip.domain}"


def _emergency(user: str, policy: RoutingPolicy, now_ms: int) -> Decision:
    route = policy.emergency_route or policy.default_route
    if not route:
        return _unavailable("no route for emergency calls")
    return start_search(_routes_for(user, route), HeaderChanges(), policy.search, now_ms)


def _unavailable(text: str) -> Reply:
    """A 503 of the proxy's own, with a Reason (RFC 3326) that tells it from ClearIP's."""
    return Reply(503, "Service Unavailable", (("Reason", f'SIP;cause=503;text="{text}"'),))


def _routes_for(user: str, route: Iterable[str]) -> tuple[str, ...]:
    """Put the called user into those URIs of a configured route that name none."""
    return tuple(
        uri if parse_uri(uri).user is not None else uri.replace(":", f":{user}@", 1)
        for uri in route
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What of the caller's request bears on what follows ClearIP's answer."""

    called_uri: str
    """The Request-URI that the caller sent."""
    received_identities: tuple[str, ...] = ()
    now_ms: int = 0


def after_clearip(
    outcome: BranchOutcome, pending: Pending, context: ResponseContext, policy: RoutingPolicy
) -> Decision:
    """Decide what follows when the query to a ClearIP site has ended."""
    match outcome:
        case Canceled():
            return TERMINATED
        case NoResponse():
            return QueryClearIp(context, next_site=True)
        case response:
            answer = read_response(response, policy.copied_headers)
            step = _after_answer(Answered(answer, pending), context, policy)
            return Noted((_summary(answer), *answer.faults), step)


def _summary(response: ClearIpResponse) -> str:
    counts = f"{len(response.contacts)} contacts, {len(response.identities)} Identity"
    return f"ClearIP answered {response.status} {response.reason_phrase}: {counts}"


@dataclass(frozen=True, slots=True)
class Answered:
    """ClearIP's final response to a pending call."""

    response: ClearIpResponse
    pending: Pending


def _after_answer(answered: Answered, context: ResponseContext, policy: RoutingPolicy) -> Step:
    match verdict_of(answered.response.status):
        case Verdict.ROUTE:
            routes = _usable_routes(answered.response, context, policy)
            if routes:
                return _search(routes, answered, policy)
            return _without_route(answered, policy) or _unavailable("no route from ClearIP")
        case Verdict.NO_ROUTE if policy.clearip.on_no_route == "default_route":
            return _without_route(answered, policy) or RelayResponse()
        case Verdict.SETUP_FAULT if policy.clearip.on_unavailable == "default_route":
            return _without_route(answered, policy) or RelayResponse()
        case _:
            return RelayResponse()


def _usable_routes(
    response: ClearIpResponse, context: ResponseContext, policy: RoutingPolicy
) -> tuple[str, ...]:
    asked = parse_uri(context.clearip_uri)
    return tuple(
        contact.uri_text
        for contact in response.contacts
        if is_route(contact, asked, policy.clearip.domain, policy.own)
    )


def _without_route(answered: Answered, policy: RoutingPolicy) -> Step | None:
    """Search the default route, if there is one, with whatever headers ClearIP returned."""
    if not policy.default_route:
        return None
    user = parse_uri(answered.pending.called_uri).user or ""
    return _search(_routes_for(user, policy.default_route), answered, policy)


def _search(routes: tuple[str, ...], answered: Answered, policy: RoutingPolicy) -> Step:
    pending = answered.pending
    changes = header_changes(answered.response, pending.received_identities, policy)
    return start_search(routes, changes, policy.search, pending.now_ms)


def header_changes(
    response: ClearIpResponse, received_identities: tuple[str, ...], policy: RoutingPolicy
) -> HeaderChanges:
    """Work out which header fields every branch loses and gets.

    A header that ClearIP returned takes the place of the received one of that name; Identity
    follows `headers.identity` (RFC 8224 allows several, RFC 8946 wants the original kept).
    """
    removed = list(dict.fromkeys(name for name, _ in response.headers))
    added = list(response.headers)
    if response.identities:
        removed += ["Identity"] if received_identities else []
        merged = merge_identities(received_identities, response.identities, policy.identity_mode)
        added += [("Identity", value) for value in merged]
    return HeaderChanges(tuple(removed), tuple(added))


def after_unavailable(pending: Pending, policy: RoutingPolicy) -> Decision:
    """Decide what follows when no ClearIP site answers."""
    if policy.clearip.on_unavailable != "default_route" or not policy.default_route:
        return _unavailable("ClearIP unavailable")
    routes = _routes_for(parse_uri(pending.called_uri).user or "", policy.default_route)
    return start_search(routes, HeaderChanges(), policy.search, pending.now_ms)
