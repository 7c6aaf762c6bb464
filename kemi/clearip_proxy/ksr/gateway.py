"""Decisions to Kamailio calls; no policy.

The modules of `ksr` are the only ones that know pseudo-variables and the meaning of KEMI's return
codes: an int of Kamailio is compared (`> 0`) there and nowhere else.
"""

from collections.abc import Callable

from clearip_proxy.decisions import (
    AbsorbAck,
    AdmitCall,
    CancelBranches,
    CountedCall,
    Decision,
    Discard,
    FollowRoute,
    Fork,
    Noted,
    QueryClearIp,
    RelayResponse,
    Reply,
    TurnAway,
    UnlessDraining,
)
from clearip_proxy.ksr.branches import KsrBranches
from clearip_proxy.ksr.calls import CallLimits
from clearip_proxy.ksr.clearip import ClearIpLeg
from clearip_proxy.ksr.events import CallEvents
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.look_up import LookUps
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.overload import OverloadGate
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import KsrReader
from clearip_proxy.ksr.replies import ClearIpReplies
from clearip_proxy.ksr.strangers import KsrStrangers
from clearip_proxy.ksr.targets import TargetLeg
from clearip_proxy.moment import Moment, this_moment
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.process.sparing import Sparing
from clearip_proxy.routing import Request
from clearip_proxy.search import TERMINATED


class KsrGateway:
    """Carries decisions out."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: RoutingPolicy,
        now: Callable[[], Moment] = this_moment,
        numbers: SharedNumbers | None = None,
    ) -> None:
        self._ksr = ksr
        self._policy = policy
        numbers = numbers or SharedNumbers()
        self.gate = OverloadGate(ksr, policy, numbers)
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._memory = KsrMemory(ksr)
        self.events = CallEvents(ksr, policy)
        self._branches = KsrBranches(ksr, self._log, self.events)
        self._strangers = KsrStrangers(ksr, policy)
        self._sparing = Sparing()
        self._sender = ""
        """Who has sent the request at hand, where it belongs to no call."""
        self.calls = CallLimits(ksr, policy)
        self.read = KsrReader(ksr, now)
        self.clearip = ClearIpLeg(ksr, policy, self.read, self.events, numbers)
        self.replies = ClearIpReplies(ksr, policy, self.read)
        self.targets = TargetLeg(ksr, policy, self.read, self.events)
        self.look_ups = LookUps(ksr, policy, self.read)

    def begin(self, decision: Decision, request: Request) -> None:
        """Carry out the first decision on a request; a retransmission is absorbed here."""
        if isinstance(decision, AdmitCall | QueryClearIp):
            admitted = self._admit(decision, request)
            if admitted is None:
                return
            decision = admitted
        if isinstance(decision, QueryClearIp | Fork):
            if self._ksr.tm.t_newtran() <= 0:
                return
            # A route set of the caller's own making must steer neither ClearIP nor a target.
            self._ksr.hdr.remove("Route")
            self.events.begun(request, decision)
        elif request.is_call_attempt and isinstance(decision, Reply):
            self.events.begun(request, decision)
        elif request.method == "BYE" and isinstance(decision, FollowRoute):
            self.events.hung_up(request)
        self._sender = "" if request.is_call_attempt else request.source_address
        try:
            self.carry_out(decision)
        finally:
            self._sender = ""

    def _admit(self, attempt: AdmitCall | QueryClearIp, request: Request) -> QueryClearIp | None:
        """Count a call attempt; None for a retransmission, and for one that was refused.

        The refusal costs no transaction: a flood fills no memory.
        """
        is_ajar, is_limited = self.gate.is_ajar, isinstance(attempt, AdmitCall)
        if is_ajar or is_limited:
            if self._ksr.tm.t_check_trans() >= 0:
                return None
            now_ms = self.read.now().monotonic_ms
            if self._is_shed(request, now_ms) or self._is_over_limit(attempt, request, now_ms):
                return None
        self.gate.count()
        return attempt.query if isinstance(attempt, AdmitCall) else attempt

    def _is_shed(self, request: Request, now_ms: int) -> bool:
        """Refuse a call above the ceiling; a record of each would be a flood of its own."""
        refusal = self.gate.refusal(request.source_address, now_ms) if self.gate.is_ajar else None
        if refusal is not None:
            self._send_reply(refusal)
        return refusal is not None

    def _is_over_limit(
        self, attempt: AdmitCall | QueryClearIp, request: Request, now_ms: int
    ) -> bool:
        refusal = self.calls.refusal(attempt, now_ms) if isinstance(attempt, AdmitCall) else None
        if refusal is not None:
            self.events.begun(request, refusal)
            self._send_reply(refusal)
            self.events.flush()
        return refusal is not None

    def carry_out(
        self, decision: Decision, *, may_wait: bool = False, may_look_up: bool = True
    ) -> None:
        """Carry out a decision, and those that follow when a branch cannot be sent.

        `may_wait` says that the call has waited for a connection to ClearIP already;
        `may_look_up` that a worker can be asked to find the way to a target.
        """
        step: Decision | None = decision
        while step is not None:
            if isinstance(step, Fork):
                step = self.targets.fork(step, may_look_up=may_look_up)
            else:
                step = self._step(step, may_wait=may_wait)
        self.events.flush()

    def _step(self, decision: Decision, *, may_wait: bool) -> Decision | None:
        match decision:
            # What most requests lead to comes first.
            case CancelBranches() | AbsorbAck() | FollowRoute():
                return self._pass_on(decision)
            case QueryClearIp():
                return self.clearip.query(decision, may_wait=may_wait)
            case Noted():
                return self._note(decision)
            case Discard():
                self._note_of(decision, f"discarded: {decision.reason}")
            case TurnAway():
                self._strangers.turn_away(decision.address)
            case Reply():
                self._reply(decision)
            case RelayResponse():
                self._relay_response()
            case UnlessDraining():
                # No line in the log: whoever looks after the proxy asks every second.
                is_draining = self._memory.is_draining()
                self._send_reply(decision.draining if is_draining else decision.reply)
        return None

    def _relay_response(self) -> None:
        status = self._ksr.tm.t_get_status_code()
        self._log.note(f"relayed: {status}")
        self.events.finished(status, "")

    def _note(self, noted: Noted) -> Decision:
        write = self._log.fault if noted.is_fault else self._log.note
        for note in noted.notes:
            write(note)
        if noted.counted:
            self._memory.count(noted.counted)
        return noted.decision

    def _reply(self, reply: Reply) -> None:
        self._send_reply(reply)
        self._note_of(reply, f"answered: {reply.status} {reply.reason_phrase}")

    def _note_of(self, decision: Discard | Reply, text: str) -> None:
        """Say what became of a request; of many that belong to no call, not of each."""
        line = self._sparing.told(self._sender, text) if self._sender else text
        if line is not None:
            (self._log.note if decision.names_call else self._log.note_of_no_call)(line)

    def _send_reply(self, reply: Reply) -> None:
        for name, value in reply.headers:
            if self._branches.is_sendable(name, value):
                self._ksr.hdr.append_to_reply(f"{name}: {value}\r\n")
        self._ksr.sl.send_reply(reply.status, reply.reason_phrase)
        self.events.finished(reply.status, reply.reason_phrase, is_canceled=reply is TERMINATED)

    def _pass_on(self, decision: CancelBranches | AbsorbAck | FollowRoute) -> Decision | None:
        """Let a request reach the transaction or the dialog that it belongs to."""
        tm = self._ksr.tm
        match decision:
            case FollowRoute():
                if self._ksr.rr.loose_route() <= 0:
                    return decision.otherwise
                self._count(decision.goes_on, decision.ends)
                # Kamailio's own answer to what cannot be sent would tell which software this is.
                tm.t_set_disable_internal_reply(1)
                return decision.unsendable if tm.t_relay() < 0 else None
            case AbsorbAck():
                if tm.t_check_trans() != 0:
                    return decision.otherwise
                self._count(ends=decision.ends)
                return None
            case CancelBranches():
                if tm.t_check_trans() <= 0:
                    return decision.otherwise
                self._log.note("canceled by the caller")
        tm.t_relay()
        return None

    def _count(self, goes_on: CountedCall | None = None, ends: CountedCall | None = None) -> None:
        if goes_on is not None:
            self.calls.goes_on(goes_on)
        if ends is not None:
            self.calls.ended(ends)

    def report(self, fault: str) -> None:
        """Say loudly that a callback without a request has raised."""
        self._log.fault_of_no_call(f"internal error: {fault}")
        self.events.flush()

    def fail(self, fault: str) -> None:
        """Answer a request whose callback has raised, and say so loudly."""
        is_named = self.read.text("$ci").isprintable()
        (self._log.fault if is_named else self._log.fault_of_no_call)(f"internal error: {fault}")
        if self._policy.trusted[self.read.text("$si")] is not None:
            self._ksr.sl.send_reply(500, "Server Internal Error")
            self.events.finished(500, "Server Internal Error")
        self.events.flush()
