"""What becomes of a request.

Pure functions from values to values. A policy decision stands here, in `answering.py` (what
follows ClearIP's answer), in `search.py` (what follows a target's failure) or in a module that
these call, and nowhere else; nothing here knows that Kamailio exists.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from clearip_proxy.answering import BEGINNING, unavailable
from clearip_proxy.decisions import (
    AbsorbAck,
    AdmitCall,
    CancelBranches,
    CountedCall,
    Decision,
    Discard,
    FollowRoute,
    QueryClearIp,
    Reply,
    TurnAway,
    UnlessDraining,
)
from clearip_proxy.dialog_token import source_of, token_in
from clearip_proxy.limits import is_limited
from clearip_proxy.moment import Moment
from clearip_proxy.policy import EmergencyPolicy, RoutingPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.search import configured_routes, start_search
from clearip_proxy.sip.grammar import is_token
from clearip_proxy.sip.uri import MalformedUri, Uri, parse_uri
from clearip_proxy.sources import TrustedSource

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO"
"""What the proxy handles (RFC 3261 §20.5): dialogs that an INVITE began, and OPTIONS."""

OPTIONS_ANSWER = UnlessDraining(
    Reply(200, "OK", (("Allow", ALLOW),)), unavailable("draining", ("Allow", ALLOW))
)
"""Calls that come to a node that is drained are taken all the same."""
UNSENDABLE = Reply(503, "Service Unavailable")
"""The answer to a request inside a dialog whose next hop takes none (RFC 3261 §16.9)."""
NO_SUCH_DIALOG = Reply(481, "Call/Transaction Does Not Exist")
UNKNOWN_ACK = Discard("ACK of an unknown dialog")
LOST_ACK = Discard("ACK that cannot be sent")

_EMERGENCY_SERVICE = re.compile(r"urn:service:sos(?:\.[a-z0-9-]+)*", re.IGNORECASE)
_NO_HOST = "emergency.invalid"
"""Stands where only the user of a URI counts."""
_VISUAL_SEPARATORS = str.maketrans("", "", "-.()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What arrived, as far as the first decision needs it."""

    method: str
    uri: str
    source_address: str
    call_id: str = ""
    from_tag: str = ""
    to_tag: str = ""
    route: str = ""
    """The first Route header field, of requests with a To tag alone."""
    hops_left: bool = True
    """False when Max-Forwards was 0."""
    proxy_require: str | None = None
    is_well_formed: bool = True
    now: Moment = BEGINNING
    """When it arrived."""
    arrived_us: int = field(default=0, compare=False)
    """The same to the microsecond, on the monotonic clock."""

    @property
    def is_call_attempt(self) -> bool:
        """Whether it asks for a new dialog."""
        return self.method == "INVITE" and not self.to_tag


def on_request(request: Request, policy: RoutingPolicy) -> Decision:
    """Decide what becomes of a request that no transaction has absorbed."""
    source = policy.trusted[request.source_address]
    if not request.call_id.isprintable():
        return _unspeakable(request, source)
    if request.to_tag or request.method == "ACK":
        return _in_dialog(request, source, policy)
    if source is None:
        return TurnAway(request.source_address)
    if not request.is_well_formed:
        return Reply(400, "Bad Request")
    return _out_of_dialog(request, source, policy)


def _unspeakable(request: Request, source: TrustedSource | None) -> Decision:
    """Refuse a Call-ID with a control character, or that is no text (RFC 3261 §25.1, word).

    Each line of the log begins with one: a line break in it, which folding lets pass, would write
    a line of the sender's own.
    """
    if source is None:
        return TurnAway(request.source_address)
    if request.method == "ACK":
        return Discard("ACK with a malformed Call-ID", names_call=False)
    return Reply(400, "Malformed Call-ID", names_call=False)


def _out_of_dialog(request: Request, source: TrustedSource, policy: RoutingPolicy) -> Decision:
    match request.method:
        case "INVITE":
            return _unforwardable(request) or _initial_invite(request, source, policy)
        case "CANCEL":
            return CancelBranches(NO_SUCH_DIALOG)
        case "OPTIONS":
            return _unknown_extension(request) or OPTIONS_ANSWER
        case _:
            return Reply(405, "Method Not Allowed", (("Allow", ALLOW),))


def _in_dialog(request: Request, source: TrustedSource | None, policy: RoutingPolicy) -> Decision:
    """Let pass what proves to be inside a dialog, from whichever side and address.

    A To tag and a Route are no proof: anybody can write them. An ACK is never answered
    (RFC 3261 §8.2.6.1), whatever is wrong with it.
    """
    token = _proof(request, policy)
    if request.method == "ACK":
        return _ack(request, source, token)
    refusal = NO_SUCH_DIALOG if source is not None else TurnAway(request.source_address)
    if request.method == "CANCEL":
        # It has the Route of the request that it ends (RFC 3261 §9.1), and so the proof.
        return refusal if source is None and token is None else CancelBranches(refusal)
    if token is None:
        return refusal
    ends = _counted(request, token) if request.method == "BYE" else None
    return _unforwardable(request) or FollowRoute(NO_SUCH_DIALOG, UNSENDABLE, ends=ends)


def _ack(request: Request, source: TrustedSource | None, token: str | None) -> AbsorbAck:
    """Take the ACK to a 2xx, which proves its dialog, or to a failure, which need not.

    The ACK to the failure of a re-INVITE proves its dialog too, and does not end its call.
    """
    if token is not None:
        if not request.hops_left:
            return AbsorbAck(Discard("ACK without hops left"))
        return AbsorbAck(FollowRoute(UNKNOWN_ACK, LOST_ACK, goes_on=_counted(request, token)))
    if source is None:
        return AbsorbAck(TurnAway(request.source_address))
    counts = source.max_calls is not None
    return AbsorbAck(UNKNOWN_ACK, ends=CountedCall(source.id, request.call_id) if counts else None)


def _proof(request: Request, policy: RoutingPolicy) -> str | None:
    """Return the token that proves the request's dialog, None without any.

    It stands where a loose router leaves it, or a strict one (RFC 3261 §16.4).
    """
    token = token_in(request.route) or token_in(request.uri)
    is_good = policy.dialog_keys.proves(token, request.call_id, request.from_tag, request.to_tag)
    return token if is_good else None


def _counted(request: Request, token: str) -> CountedCall | None:
    source_id = source_of(token)
    return CountedCall(source_id, request.call_id) if source_id else None


def _unforwardable(request: Request) -> Reply | None:
    """Check what every forwarded request must have (RFC 3261 §16.3)."""
    if not request.hops_left:
        return Reply(483, "Too Many Hops")
    return _unknown_extension(request)


def _unknown_extension(request: Request) -> Reply | None:
    if request.proxy_require is None:
        return None
    return Reply(420, "Bad Extension", (("Unsupported", request.proxy_require),))


def _initial_invite(request: Request, source: TrustedSource, policy: RoutingPolicy) -> Decision:
    try:
        uri = parse_uri(_called(request.uri, policy.emergency))
    except MalformedUri:
        return _unreadable(request.uri)
    if uri.header_part:
        return Reply(400, "Headers in Request-URI")  # RFC 3261 §19.1.1: no request may have them
    if not uri.user:
        return Reply(484, "Address Incomplete")
    if is_emergency(uri.user, policy.emergency):
        return _emergency(uri, request.now, policy)
    if not request.from_tag:
        return Reply(400, "Missing From Tag")  # RFC 3261 §8.1.1.3; nothing in its dialog would pass
    query = QueryClearIp(ResponseContext(clearip_uri=_clearip_uri(uri, source, policy)))
    return AdmitCall(source, request.call_id, query) if is_limited(source) else query


def _called(uri: str, policy: EmergencyPolicy) -> str:
    """Put the first emergency number in place of the emergency service (RFC 5031 §4.2).

    A carrier's gateway knows the number. Test calls, `urn:service:test.sos`, are another service:
    they must not reach people who wait for emergencies.
    """
    if policy.service_number and _EMERGENCY_SERVICE.fullmatch(uri):
        return f"sip:{policy.service_number}@{_NO_HOST}"
    return uri


def _unreadable(uri: str) -> Reply:
    """Tell a URI of another scheme (RFC 3261 §16.3, step 2) from one that is no URI."""
    scheme, colon, _ = uri.partition(":")
    if colon and is_token(scheme) and scheme.lower() not in {"sip", "sips", "tel"}:
        return Reply(416, "Unsupported URI Scheme")
    return Reply(400, "Bad Request-URI")


def is_emergency(user: str, policy: EmergencyPolicy) -> bool:
    """Tell an emergency number, with or without one of the configured prefixes.

    Parameters and visual separators do not count (RFC 3966 §5.1.1), nor does percent-encoding,
    which a SIP URI needs for `#` (RFC 3261 §19.1.4).
    """
    number = unquote(user.partition(";")[0]).translate(_VISUAL_SEPARATORS)
    return number in policy.numbers or any(
        number.removeprefix(prefix) in policy.numbers
        for prefix in policy.prefixes
        if number.startswith(prefix)
    )


def _clearip_uri(uri: Uri, source: TrustedSource, policy: RoutingPolicy) -> str:
    """Keep the user to the letter; the host carries the partition (ClearIP's documentation)."""
    partition = source.partition or policy.clearip.partition
    prefix = f"{partition}." if partition else ""
    return f"sip:{uri.user}@{prefix}{policy.clearip.domain}"


def _emergency(called: Uri, now: Moment, policy: RoutingPolicy) -> Decision:
    route = policy.emergency.route or policy.default_route
    if not route:
        return unavailable("no route for emergency calls")
    return start_search(configured_routes(route, called.text), policy.search, now)
