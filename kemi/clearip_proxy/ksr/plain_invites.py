"""The plain INVITE that begins a call: ClearIP is asked, on the verified connection."""

import re

from clearip_proxy.decisions import QueryClearIp
from clearip_proxy.ksr.branches import ON_CLEARIP_BRANCH, ON_CLEARIP_FAILURE, ON_CLEARIP_REPLY
from clearip_proxy.ksr.gateway import KsrGateway
from clearip_proxy.ksr.plain_events import PlainEvents
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import CONTEXT_VARIABLE, HOP_LIMIT
from clearip_proxy.ksr.site_knowledge import SiteKnowledge
from clearip_proxy.ksr.sites import ASKED
from clearip_proxy.ksr.sockets import KsrSockets
from clearip_proxy.plain.memory import asked_text
from clearip_proxy.plain.request import METHOD_LENGTH
from clearip_proxy.plain.rules import PlainRules
from clearip_proxy.plain.shapes import Shape
from clearip_proxy.process.shared_numbers import CALLS_BEGUN, CEILING_CPS
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sites.site_lines import Line

TRANSACTION = "$_s($T(id_index):$T(id_label))"


class PlainInvites:
    """Takes them."""

    def __init__(
        self,
        ksr: KsrPort,
        gateway: KsrGateway,
        rules: PlainRules,
        knowledge: SiteKnowledge,
        events: PlainEvents,
    ) -> None:
        policy = rules.policy
        self._ksr = ksr
        self._tm = ksr.tm
        self._sockets = KsrSockets(ksr, policy.sending)
        self._numbers = knowledge.numbers
        self._carry_out = gateway.carry_out
        self._domains = rules.domains
        self._emergency = rules.emergency
        self._knowledge = knowledge
        self._events = events
        self._sends_source = policy.clearip.send_source_device
        self._timeout_ms = policy.clearip.response_timeout_ms
        self._keys = policy.dialog_keys

    def begin(self, text: str, shape: Shape, found: re.Match[str]) -> bool:
        """Take one that a pattern has matched; False, and nothing done, where it is not plain."""
        values = found.group(*shape.read)
        address, size, _, user, number, _, from_tag, to_place, call_id, *length = values
        domain = self._domains[address]
        begins, ends = found.start("uri") - METHOD_LENGTH, found.end()
        if (
            not domain
            or number in self._emergency
            or self._numbers[CEILING_CPS]
            or (length and int(length[0]) != int(size) - (ends - begins))
        ):
            return False
        self._ksr.maxfwd.process_maxfwd(HOP_LIMIT)
        if self._tm.t_newtran() <= 0:
            return True
        self._numbers[CALLS_BEGUN] += 1
        if "Route" in shape.fields:
            self._ksr.hdr.remove("Route")
        asked_with = f"sip:{user}@{domain}"
        line = self._knowledge.line(call_id)
        call = ""
        if self._events.are_kept:
            hop = line.hop if line is not None else ""
            call = self._events.begun(values, hop)
        if line is not None:
            transaction = str(self._ksr.pv.get(TRANSACTION))
            token = self._keys.token(call_id, from_tag)
            memory = (
                asked_text(
                    asked_with, line, transaction, f"{size} {to_place} {token} {call} {call_id}"
                )
                if to_place and "Identity" not in shape.fields
                else _context_text(asked_with, line, transaction)
            )
            self._ksr.pvx.xavu_sets(CONTEXT_VARIABLE, memory)
            if self._ask(asked_with, line, transaction, text[begins:ends]):
                return True
        self._carry_out(QueryClearIp(ResponseContext(asked_with)))
        return True

    def _ask(self, asked_with: str, line: Line, transaction: str, head: str) -> bool:
        """Send the branch on the connection, and on no other; tell whether that was possible."""
        ksr, tm = self._ksr, self._tm
        index, _, _ = transaction.partition(":")
        ksr.htable.sht_sets(ASKED, transaction, f"{line.connection} {index} 1\n{head}")
        ksr.seturi(asked_with)
        ksr.setdsturi(line.hop)
        if self._sockets.are_several:
            self._sockets.towards_clearip(line.hop)
        if self._sends_source:
            tm.t_on_branch(ON_CLEARIP_BRANCH)
        tm.t_on_reply(ON_CLEARIP_REPLY)
        tm.t_on_failure(ON_CLEARIP_FAILURE)
        tm.t_set_fr(self._timeout_ms, self._timeout_ms)
        tm.t_set_disable_internal_reply(1)
        ksr.tcpops.tcp_set_otcpid(line.connection)
        ksr.set_forward_no_connect()
        if tm.t_relay() > 0:
            return True
        ksr.tcpops.tcp_set_otcpid_flag(0)
        ksr.htable.sht_rm(ASKED, transaction)
        return False


def _context_text(asked_with: str, line: Line, transaction: str) -> str:
    """Remember a query whose answer is for the general way."""
    context = ResponseContext(
        asked_with, asked=(line.hop,), connection=line.connection, transaction=transaction
    )
    return context.to_text()
