"""Plain calls: each callback reads Kamailio once, decides in one step, and does what must be done.

Whatever is not plain, or does not go as usual on the way, is handed to the gateway.
"""

import json
import time

from clearip_proxy.decisions import Discard, Fork, Noted, QueryClearIp, Reply
from clearip_proxy.ksr.branches import (
    NO_CALLBACK,
    ON_CLEARIP_BRANCH,
    ON_CLEARIP_FAILURE,
    ON_CLEARIP_REPLY,
    ON_TARGET_BRANCH,
    ON_TARGET_FAILURE,
    ON_TARGET_REPLY,
)
from clearip_proxy.ksr.connections import HeardConnections
from clearip_proxy.ksr.gateway import KsrGateway
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import CONTEXT_VARIABLE, HOP_LIMIT
from clearip_proxy.ksr.sites import ASKED, KsrSites
from clearip_proxy.ksr.sockets import KsrSockets
from clearip_proxy.location.next_hop import ADDED_BY_PROXY, LARGEST_OVER_UDP
from clearip_proxy.plain.redirection import after_plain, plain_redirection
from clearip_proxy.plain.request import PlainInDialog, PlainInvite, plain_in_dialog, plain_invite
from clearip_proxy.plain.rules import PlainRules
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.routing import LOST_ACK, NO_SUCH_DIALOG, UNKNOWN_ACK, UNSENDABLE, Request
from clearip_proxy.sip.message import SipResponse
from clearip_proxy.sip.uri import parse_uri
from clearip_proxy.sites.site_lines import Line, in_turn

# One look at Kamailio each. What a sender may write as it likes stands last.
REQUEST = "$_s($si $conid $mb)"
ANSWER = "$_s($hdrc(Identity) $ml $xavu(response_context)$T_rpl($mb)\n$tu)"
CONNECTION = "$_s($conid)"
OVER_UDP = "<null>"
TRANSACTION = "$_s($T(id_index):$T(id_label))"
_NEXT_VALUE = json.JSONDecoder().raw_decode


class PlainCalls:
    """Takes plain calls; False where one is not plain, and nothing has been done."""

    def __init__(self, ksr: KsrPort, policy: RoutingPolicy, gateway: KsrGateway) -> None:
        self._ksr = ksr
        self._pv = ksr.pv
        self._tm = ksr.tm
        self._policy = policy
        self._gateway = gateway
        self._gate = gateway.gate
        self._events = gateway.events
        self._now = gateway.read.now
        self._rules = PlainRules(policy)
        self._sites = KsrSites(ksr)
        self._connections = HeardConnections(ksr)
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._sockets = KsrSockets(ksr, policy.sending)
        sends_source = policy.clearip.send_source_device
        self._clearip_branch = ON_CLEARIP_BRANCH if sends_source else NO_CALLBACK
        self._target_reply = ON_TARGET_REPLY if self._events.are_kept else NO_CALLBACK
        is_any_size = policy.search.large_request == "udp"
        self._largest = 1 << 30 if is_any_size else LARGEST_OVER_UDP - ADDED_BY_PROXY

    def take_request(self) -> bool:
        """Take an INVITE that begins a call, an ACK or a BYE."""
        try:
            text = self._pv.get(REQUEST)
        except UnicodeDecodeError:
            text = None
        if text is None:  # it is longer than Kamailio prints, or no UTF-8
            self._hear(str(self._pv.get(CONNECTION)))
            return False
        address, _, rest = str(text).partition(" ")
        connection, _, raw = rest.partition(" ")
        if connection != OVER_UDP:
            self._hear(connection)
        if raw.startswith("INVITE "):
            invite = plain_invite(raw)
            return invite is not None and self._begin(invite, address)
        if raw.startswith(("ACK ", "BYE ")):
            request = plain_in_dialog(raw)
            return request is not None and self._pass_on(request, address)
        return False

    def _hear(self, connection: str) -> None:
        if connection.isdecimal():
            self._connections.hear(int(connection))

    # An INVITE

    def _begin(self, invite: PlainInvite, address: str) -> bool:
        uri = self._rules.clearip_uri(invite, address)
        if not uri or self._gate.is_ajar or self._ksr.sanity.sanity_check_defaults() <= 0:
            return False
        self._ksr.maxfwd.process_maxfwd(HOP_LIMIT)
        if self._tm.t_newtran() <= 0:
            return True
        self._gate.count()
        if invite.has_route:
            self._ksr.hdr.remove("Route")
        query = QueryClearIp(ResponseContext(uri))
        if self._events.are_kept:
            self._events.begun(
                Request(
                    arrived_us=time.monotonic_ns() // 1000,
                    method="INVITE",
                    uri=invite.uri,
                    source_address=address,
                    call_id=invite.call_id,
                    from_tag=invite.from_tag,
                ),
                query,
            )
        line = self._line(invite.call_id)
        if line is None or not self._ask(line, uri, invite):
            self._gateway.carry_out(query)
        return True

    def _line(self, call_id: str) -> Line | None:
        """Return the connection that the call is the turn of, if it can be used right now."""
        lines = self._sites.lines()
        if not lines:
            return None
        first = lines[0]
        line = first[0] if len(first) == 1 else in_turn(lines, (), lambda: call_id)[0]
        is_usable = self._sites.is_open(line.connection) and not self._sites.resting_until(line.hop)
        return line if is_usable else None

    def _ask(self, line: Line, uri: str, invite: PlainInvite) -> bool:
        ksr, tm = self._ksr, self._tm
        transaction = str(self._pv.get(TRANSACTION))
        index, _, _ = transaction.partition(":")
        context = ResponseContext(
            uri, asked=(line.hop,), connection=line.connection, transaction=transaction
        )
        ksr.pvx.xavu_sets(CONTEXT_VARIABLE, context.to_text())
        ksr.htable.sht_sets(ASKED, transaction, f"{line.connection} {index} 1\n{invite.known_by}")
        ksr.seturi(uri)
        ksr.setdsturi(line.hop)
        if self._sockets.are_several:
            self._sockets.towards_clearip(line.hop)
        if self._clearip_branch:
            tm.t_on_branch(self._clearip_branch)
        tm.t_on_reply(ON_CLEARIP_REPLY)
        tm.t_on_failure(ON_CLEARIP_FAILURE)
        timeout_ms = self._policy.clearip.response_timeout_ms
        tm.t_set_fr(timeout_ms, timeout_ms)
        tm.t_set_disable_internal_reply(1)
        self._events.asked(line.hop)
        self._events.flush()
        ksr.tcpops.tcp_set_otcpid(line.connection)
        ksr.set_forward_no_connect()
        is_sent = tm.t_relay() > 0
        ksr.tcpops.tcp_set_otcpid_flag(0)
        if is_sent:
            self._log.note(f"asked ClearIP: {line.hop}")
        else:
            self._sites.asks_no_more(transaction)
        return is_sent

    # ClearIP's answer

    def take_answer(self) -> bool:
        """Take a redirection that ends a call's first query."""
        if not self._rules.follows_answers or self._tm.t_is_canceled() > 0:
            return False
        try:
            text = str(self._pv.get(ANSWER))
        except UnicodeDecodeError:
            return False
        received, _, rest = text.partition(" ")
        size, _, rest = rest.partition(" ")
        if received != "0" or not rest.startswith('["'):
            return False
        context, end = _NEXT_VALUE(rest)
        raw, _, to_uri = rest[end:].rpartition("\n")
        rules = self._rules
        answer = plain_redirection(raw, rules.passed_over, rules.usable, to_uri)
        if answer is None or context[1] or not context[8]:
            return False
        decided = after_plain(answer, context[0], self._policy.search, self._now())
        self._learn(context[8][-1], context[10])
        if self._events.are_kept:
            said = SipResponse(
                headers=(), faults=(), status=302, reason_phrase=answer.reason_phrase
            )
            self._events.clearip_answered(said, decided, context[8][-1])
        self._try(decided, int(size) + sum(len(value) + 12 for value in answer.identities))
        return True

    def _learn(self, hop: str, transaction: str) -> None:
        self._sites.asks_no_more(transaction)
        self._sites.count(hop, 302)
        if self._sites.was_heard(hop):
            self._log.note(f"ClearIP site {hop} answers calls again")

    def _try(self, decided: Noted, size_bytes: int) -> None:
        """Try the first target; the gateway does where the request may be too large for UDP."""
        fork = decided.decision
        if not isinstance(fork, Fork) or size_bytes > self._largest:
            self._gateway.carry_out(decided)
            return
        self._log.note(decided.notes[0])
        if self._send(fork):
            self._log.note(f"target 1: {fork.target}")
            return
        self._gateway.carry_out(self._gateway.targets.unsent(fork))

    def _send(self, fork: Fork) -> bool:
        ksr, tm = self._ksr, self._tm
        ksr.pvx.xavu_sets(CONTEXT_VARIABLE, fork.context.to_text())
        ksr.seturi(fork.target)
        self._pv.unset("$du")
        if self._sockets.are_several:
            self._sockets.towards(parse_uri(fork.target))
        tm.t_on_branch(ON_TARGET_BRANCH)
        tm.t_on_reply(self._target_reply)
        tm.t_on_failure(ON_TARGET_FAILURE)
        tm.t_set_fr(fork.answer_timeout_ms, fork.no_response_timeout_ms)
        self._events.attempted(fork, "")
        self._events.flush()
        return self._gateway.targets.relay(fork.context)

    # Inside a dialog

    def _pass_on(self, request: PlainInDialog, address: str) -> bool:
        if not self._rules.proves_itself(request):
            return False
        self._ksr.maxfwd.process_maxfwd(HOP_LIMIT)
        if request.method == "ACK":
            if self._tm.t_check_trans() != 0:
                self._follow_route(UNKNOWN_ACK, LOST_ACK)
            return True
        if self._events.are_kept:
            self._events.hung_up(
                Request(
                    method="BYE",
                    uri=request.uri,
                    source_address=address,
                    call_id=request.call_id,
                    from_tag=request.from_tag,
                    to_tag=request.to_tag,
                )
            )
        self._follow_route(NO_SUCH_DIALOG, UNSENDABLE)
        return True

    def _follow_route(self, otherwise: Reply | Discard, unsendable: Reply | Discard) -> None:
        if self._ksr.rr.loose_route() <= 0:
            self._gateway.carry_out(otherwise)
            return
        self._tm.t_set_disable_internal_reply(1)
        if self._tm.t_relay() < 0:
            self._gateway.carry_out(unsendable)
            return
        self._events.flush()
