"""The plain answer of ClearIP: the first target is tried, signed."""

import re
from collections.abc import Sequence

from clearip_proxy.dialog_token import PARAMETER
from clearip_proxy.ksr.branches import NO_CALLBACK, ON_TARGET_FAILURE, ON_TARGET_REPLY
from clearip_proxy.ksr.gateway import KsrGateway
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.plain_events import PlainEvents
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import CONTEXT_VARIABLE
from clearip_proxy.ksr.site_knowledge import SiteKnowledge
from clearip_proxy.ksr.sites import ASKED
from clearip_proxy.ksr.sockets import KsrSockets
from clearip_proxy.location.next_hop import ADDED_BY_PROXY, LARGEST_OVER_UDP
from clearip_proxy.moment import monotonic_ms
from clearip_proxy.plain.memory import is_asked, tried_text
from clearip_proxy.plain.redirection import (
    PlainRedirection,
    added_by,
    after_plain,
    are_sendable,
    first_fork,
    note_of,
    redirections,
    target_set,
)
from clearip_proxy.plain.rules import PlainRules
from clearip_proxy.plain.shapes import Shape
from clearip_proxy.sip.message import SipResponse
from clearip_proxy.sip.uri import parse_uri
from clearip_proxy.sites.site_status import COUNTS

ANSWER = f"$_s($xavu({CONTEXT_VARIABLE})\n$T_rpl($mb))"
"""One look at Kamailio."""
REDIRECTION = 302


class PlainAnswers:
    """Takes them."""

    def __init__(
        self,
        ksr: KsrPort,
        gateway: KsrGateway,
        rules: PlainRules,
        knowledge: SiteKnowledge,
        events: PlainEvents,
    ) -> None:
        policy, search = rules.policy, rules.policy.search
        self._ksr = ksr
        self._tm = ksr.tm
        self._sockets = KsrSockets(ksr, policy.sending)
        self._gateway = gateway
        self._now = gateway.read.now
        self._follows = rules.follows_answers
        self._places = rules.places
        self._answers = redirections(rules.passed_over)
        self._knowledge = knowledge
        self._events = events
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._search = search
        self._search_ms = search.search_timeout_ms
        self._sends_source = policy.clearip.send_source_device
        self._target_reply = ON_TARGET_REPLY if events.are_kept else NO_CALLBACK
        self._no_response_ms = min(search.no_response_timeout_ms, search.search_timeout_ms)
        self._answer_ms = min(search.answer_timeout_ms, search.search_timeout_ms)
        is_any_size = search.large_request == "udp"
        self._largest = 1 << 30 if is_any_size else LARGEST_OVER_UDP - ADDED_BY_PROXY

    def take(self) -> bool:
        """Take a redirection that ends a call's first query; False for another."""
        if not self._follows or self._tm.t_is_canceled() > 0:
            return False
        try:
            text = str(self._ksr.pv.get(ANSWER))
        except UnicodeDecodeError:
            return False
        for shape in self._answers.known:
            found = shape.match(text)
            if found is not None:
                return self._follow(shape, found)
        return is_asked(text) and self._answers.learn(text) and self.take()

    def _follow(self, shape: Shape, found: re.Match[str]) -> bool:
        values = found.group(*shape.read)
        asked_with, hop, transaction, size, to_place, token, call, call_id, phrase, *others = values
        count = shape.fields["Identity"]
        identities = tuple(others[:count])
        targets = target_set(others[count:], self._places, to_place)
        if not targets or not are_sendable(identities):
            return False
        self._learn(hop, transaction)
        added_bytes = added_by(identities)
        if int(size) + added_bytes > self._largest:
            self._leave(PlainRedirection(phrase, targets, identities), asked_with, hop)
            return True
        ends_ms = monotonic_ms() + self._search_ms
        self._ksr.pvx.xavu_sets(
            CONTEXT_VARIABLE, tried_text(asked_with, ends_ms, targets[1:], identities)
        )
        self._prepare(targets[0], identities, token)
        if self._events.are_kept:
            self._events.redirected(call, hop, phrase, targets, identities, added_bytes)
        note = note_of(phrase, targets, identities)
        if self._tm.t_relay() > 0:
            self._log.note_of(call_id, f"{note}; target 1: {targets[0]}")
        else:
            self._log.note_of(call_id, note)
            self._pass_over(PlainRedirection(phrase, targets, identities), asked_with)
        return True

    def _learn(self, hop: str, transaction: str) -> None:
        self._ksr.htable.sht_rm(ASKED, transaction)
        key = self._knowledge.redirection_key(hop)
        if key:
            self._ksr.htable.sht_inc(COUNTS, key)
        else:
            self._gateway.clearip.heard(hop, REDIRECTION)

    def _prepare(self, target: str, identities: Sequence[str], token: str) -> None:
        """Set what the branch is sent with.

        Its header fields as well, without a branch route: they are lost on later branches, which
        have one (docs/adr/0052).
        """
        ksr, tm = self._ksr, self._tm
        ksr.seturi(target)
        ksr.pv.unset("$du")
        if self._sockets.are_several:
            self._sockets.towards(parse_uri(target))
        if identities:
            ksr.hdr.append("".join([f"Identity: {value}\r\n" for value in identities]))
        ksr.rr.record_route_params(f";{PARAMETER}={token}")
        if self._sends_source:
            tm.t_on_branch(NO_CALLBACK)
        tm.t_on_reply(self._target_reply)
        tm.t_on_failure(ON_TARGET_FAILURE)
        tm.t_set_fr(self._answer_ms, self._no_response_ms)

    def _leave(self, answer: PlainRedirection, asked_with: str, hop: str) -> None:
        """Leave a request that may be too large for UDP to the general way."""
        decided = after_plain(answer, asked_with, self._search, self._now())
        said = SipResponse(
            headers=(), faults=(), status=REDIRECTION, reason_phrase=answer.reason_phrase
        )
        self._gateway.events.clearip_answered(said, decided, hop)
        self._gateway.carry_out(decided)

    def _pass_over(self, answer: PlainRedirection, asked_with: str) -> None:
        """Leave to the general way what follows a target that cannot be reached."""
        gateway = self._gateway
        fork = first_fork(answer, asked_with, self._search, self._now())
        with gateway.targets.given_headers():
            gateway.carry_out(gateway.targets.unsent(fork))
