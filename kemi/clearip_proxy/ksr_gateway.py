"""Kamailio to values, decisions to Kamailio calls; no policy.

The only module that knows pseudo-variables and the meaning of KEMI's return codes: an int of
Kamailio is compared (`> 0`) here and nowhere else.
"""

from collections.abc import Callable
from functools import partial

from clearip_proxy.answering import Pending, after_unavailable
from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import (
    CancelBranches,
    Decision,
    Discard,
    FollowRoute,
    Fork,
    Noted,
    QueryClearIp,
    RelayResponse,
    Reply,
)
from clearip_proxy.grammar import has_control
from clearip_proxy.header_changes import ReceivedHeaders
from clearip_proxy.ksr_port import KsrPort
from clearip_proxy.log_line import log_line
from clearip_proxy.message import parse_response
from clearip_proxy.moment import Moment, this_moment
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.routing import Request
from clearip_proxy.search import TERMINATED, after_unreachable
from clearip_proxy.uri import parse_uri

# Callbacks that Kamailio looks up by name. A name without a method would not be an error: the
# callback would not run, and ClearIP's 302 would be forwarded to the caller. A test compares
# these with the entry class.
ON_CLEARIP_FAILURE = "ksr_failure_clearip"
ON_TARGET_FAILURE = "ksr_failure_target"
ON_TARGET_BRANCH = "ksr_branch_target"
ON_CLEARIP_BRANCH = "ksr_branch_clearip"
NO_CALLBACK = ""

CONTEXT_VARIABLE = "response_context"
SITE_SET = 1
"""The dispatcher set that holds the ClearIP sites."""
BY_PRIORITY = 8
"""The dispatcher algorithm that takes the first site that is not down."""
HOP_LIMIT = 70
"""The Max-Forwards of a request that came without one (RFC 3261 §16.6)."""
MAX_RECEIVED_VALUES = 16
SOURCE_DEVICE = "P-Source-Device"

# Kamailio replaces variables in what it logs, once. So what a message held never stands in the
# format itself, and a text between dollar signs stays a text.
LOGGED_TEXT = "text"
OF_A_CALL = "$(ci{s.substr,0,128}): $var(text)\n"
OF_NO_CALL = "$var(text)\n"


class KsrGateway:
    """Reads what arrived from Kamailio, and carries decisions out."""

    def __init__(
        self, ksr: KsrPort, policy: RoutingPolicy, now: Callable[[], Moment] = this_moment
    ) -> None:
        self._ksr = ksr
        self._policy = policy
        self.now = now

    # Reading

    def request(self) -> Request:
        """Read the request that arrived."""
        ksr = self._ksr
        return Request(
            method=self._text("$rm"),
            uri=self._text("$ru"),
            source_address=self._text("$si"),
            has_to_tag=ksr.siputils.has_totag() > 0,
            hops_left=ksr.maxfwd.process_maxfwd(HOP_LIMIT) > 0,
            proxy_require=self._header("Proxy-Require"),
            is_well_formed=ksr.sanity.sanity_check_defaults() > 0,
            now=self.now(),
        )

    def pending(self) -> Pending:
        """Read what the rest of a call attempt needs of the request it began with."""
        return Pending(
            called_uri=self._text("$ou"),
            to_uri=self._text("$tu"),
            received=ReceivedHeaders(
                self._received_values("Identity"), self._received_values("P-Asserted-Identity")
            ),
            now=self.now(),
        )

    def branch_outcome(self) -> BranchOutcome:
        """Read, in a failure route, how the branches ended."""
        if self._ksr.tm.t_is_canceled() > 0:
            return Canceled()
        raw = self._received_response()
        return NoResponse() if raw is None else parse_response(raw)

    def context(self) -> ResponseContext:
        """Read the response context of the transaction."""
        text = self._ksr.pvx.xavu_get(CONTEXT_VARIABLE)
        return ResponseContext.from_text(str(text)) if text else ResponseContext()

    def _received_response(self) -> str | bytes | None:
        """Return the whole response, None when Kamailio made it up.

        Kamailio hands texts to Python as UTF-8; a response with other bytes in it, in its body
        say, is fetched in hexadecimal.
        """
        try:
            raw = self._ksr.pv.get("$T_rpl($mb)")
        except UnicodeDecodeError:
            return bytes.fromhex(self._text("$(T_rpl($mb){s.encode.hexa})"))
        return None if raw is None else str(raw)

    def _received_values(self, name: str) -> tuple[str, ...]:
        values: list[str] = []
        while len(values) < MAX_RECEIVED_VALUES:
            value = self._ksr.hdr.get_idx(name, len(values))
            if value is None:
                break
            values.append(str(value))
        return tuple(values)

    def _text(self, pseudo_variable: str) -> str:
        value = self._ksr.pv.get(pseudo_variable)
        return "" if value is None else str(value)

    def _header(self, name: str) -> str | None:
        value = self._ksr.hdr.get(name)
        return None if value is None else str(value)

    # Carrying out

    def begin(self, decision: Decision) -> None:
        """Carry out the first decision on a request; a retransmission is absorbed here."""
        if isinstance(decision, QueryClearIp | Fork):
            if self._ksr.tm.t_newtran() <= 0:
                return
            # A route set of the caller's own making must steer neither ClearIP nor a target.
            self._ksr.hdr.remove("Route")
        self.carry_out(decision)

    def carry_out(self, decision: Decision) -> None:
        """Carry out a decision, and those that follow when a branch cannot be sent."""
        step: Decision | None = decision
        while step is not None:
            step = self._step(step)

    def _step(self, decision: Decision) -> Decision | None:
        match decision:
            case Noted():
                for note in decision.notes:
                    self._log(note)
                return decision.decision
            case Discard():
                self._log(f"discarded: {decision.reason}")
            case Reply():
                self._reply(decision)
            case RelayResponse():
                self._log(f"relayed: {self._ksr.tm.t_get_status_code()}")
            case CancelBranches():
                return self._cancel()
            case FollowRoute():
                return self._follow_route(decision.method)
            case QueryClearIp():
                return self._query_clearip(decision)
            case Fork():
                return self._fork(decision)
        return None

    def _reply(self, reply: Reply) -> None:
        for name, value in reply.headers:
            if self._is_sendable(name, value):
                self._ksr.hdr.append_to_reply(f"{name}: {value}\r\n")
        self._ksr.sl.send_reply(reply.status, reply.reason_phrase)
        self._log(f"answered: {reply.status} {reply.reason_phrase}")

    def _cancel(self) -> Decision | None:
        if self._ksr.tm.t_check_trans() <= 0:
            return Reply(481, "Call/Transaction Does Not Exist")
        self._ksr.tm.t_relay()
        self._log("canceled by the caller")
        return None

    def _follow_route(self, method: str) -> Decision | None:
        """Forward in-dialog; an ACK to a response of the proxy's own ends here."""
        ksr = self._ksr
        if method == "ACK" and ksr.tm.t_check_trans() == 0:
            return None
        if ksr.rr.loose_route() > 0:
            ksr.tm.t_relay()
            return None
        if method == "ACK":
            return Discard("ACK of an unknown dialog")
        return Reply(481, "Call/Transaction Does Not Exist")

    def _query_clearip(self, query: QueryClearIp) -> Decision | None:
        """Send the INVITE to the next site that takes it; True for nobody is not an answer."""
        ksr, clearip = self._ksr, self._policy.clearip
        self._store(query.context)
        ksr.seturi(query.context.clearip_uri)
        ksr.pvx.xavp_child_sets("tls", "server_name", clearip.server_name)
        # A target's branch route, armed by an earlier attempt, is not for ClearIP.
        ksr.tm.t_on_branch(ON_CLEARIP_BRANCH if clearip.send_source_device else NO_CALLBACK)
        next_site: Callable[[], int] = ksr.dispatcher.ds_next_dst
        first_site = partial(ksr.dispatcher.ds_select_dst, SITE_SET, BY_PRIORITY)
        found = (next_site if query.next_site else first_site)()
        while found > 0:
            if self._relay(ON_CLEARIP_FAILURE, clearip.response_timeout_ms, None):
                self._log(f"asked ClearIP: {self._text('$du')}")
                return None
            if ksr.tm.t_is_canceled() > 0:
                return TERMINATED
            self._log(f"ClearIP site cannot be reached: {self._text('$du')}")
            found = next_site()
        return after_unavailable(self.pending(), query.context, self._policy)

    def _fork(self, fork: Fork) -> Decision | None:
        ksr = self._ksr
        self._store(fork.context)
        ksr.seturi(fork.target)
        ksr.pv.unset("$du")
        ksr.pvx.xavp_child_sets("tls", "server_name", _server_name(fork.target))
        ksr.tm.t_on_branch(ON_TARGET_BRANCH)
        if self._relay(ON_TARGET_FAILURE, fork.no_response_timeout_ms, fork.answer_timeout_ms):
            self._log(f"target {fork.context.tried}: {fork.target}")
            return None
        if ksr.tm.t_is_canceled() > 0:
            return TERMINATED
        self._log(f"target {fork.context.tried} cannot be reached: {fork.target}")
        return after_unreachable(fork.context, self._policy, self.now())

    def _relay(self, on_failure: str, no_response_ms: int, answer_ms: int | None) -> bool:
        """Send a branch; False when it could not be sent, and the transaction lives on.

        `answer_ms` bounds the time after a provisional response, None for the same bound.
        Without the flag tm would answer the caller with a 477 at once, and no further target
        would ever be tried.
        """
        tm = self._ksr.tm
        tm.t_on_failure(on_failure)
        tm.t_set_fr(answer_ms or no_response_ms, no_response_ms)
        tm.t_set_disable_internal_reply(1)
        return tm.t_relay() > 0

    def prepare_target_branch(self) -> None:
        """Give a branch to a target the header fields that ClearIP returned.

        In the branch route, so that every attempt has them exactly once: what a failure route
        appends is lost on the branches after the next.
        """
        context = self.context()
        changes = context.changes[context.current]
        hdr = self._ksr.hdr
        for name in changes.removed:
            hdr.remove(name)
        for name, value in changes.added:
            if self._is_sendable(name, value):
                hdr.append(f"{name}: {value}\r\n")
        self._ksr.rr.record_route()

    def prepare_clearip_branch(self) -> None:
        """Tell ClearIP the caller's address, which the proxy hides otherwise."""
        if self._header(SOURCE_DEVICE) is None:
            self._ksr.hdr.append(f"{SOURCE_DEVICE}: {self._text('$si')}\r\n")

    def keep_alive(self) -> None:
        """Send OPTIONS to every ClearIP site, so that connections and NAT bindings stay open.

        The response needs no reader: any one has kept the path alive.
        """
        clearip = self._policy.clearip
        identity = f"<sip:keepalive@{clearip.domain}>"
        for uri in clearip.sites:
            self._ksr.pvx.xavp_child_sets("tls", "server_name", clearip.server_name)
            headers = f"From: {identity}\r\nTo: <{uri}>\r\n"
            self._ksr.tm.t_uac_send("OPTIONS", uri, "", "", headers, "")

    def report(self, fault: str) -> None:
        """Say loudly that a callback without a request has raised."""
        self._ksr.pvx.var_sets(LOGGED_TEXT, log_line(f"internal error: {fault}"))
        self._ksr.xlog.xerr(OF_NO_CALL)

    def fail(self, fault: str) -> None:
        """Answer a request whose callback has raised, and say so loudly."""
        self._ksr.pvx.var_sets(LOGGED_TEXT, log_line(f"internal error: {fault}"))
        self._ksr.xlog.xerr(OF_A_CALL)
        self._ksr.sl.send_reply(500, "Server Internal Error")

    def _store(self, context: ResponseContext) -> None:
        self._ksr.pvx.xavu_sets(CONTEXT_VARIABLE, context.to_text())

    def _is_sendable(self, name: str, value: str) -> bool:
        """Refuse a value that would break out of its header field, or that is no UTF-8."""
        if has_control(value) or not _is_utf8(value):
            self._log(f"left out: {name}, with a character that no header field may hold")
            return False
        return True

    def _log(self, text: str) -> None:
        self._ksr.pvx.var_sets(LOGGED_TEXT, log_line(text))
        self._ksr.xlog.xnotice(OF_A_CALL)


def _server_name(target: str) -> str:
    """Return the name to ask for in TLS (RFC 6066 §3: never an address); "" for none."""
    host = parse_uri(target).canonical_host
    return "" if host.startswith("[") or host.replace(".", "").isdigit() else host


def _is_utf8(text: str) -> bool:
    """Tell whether Kamailio can take a text: bytes that were no UTF-8 are lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
