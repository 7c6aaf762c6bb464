"""Telling what happens to a call, without a say in it.

Nothing here may cost a call anything: what cannot be told or written is counted, and that is all.
"""

from collections.abc import Callable
from pathlib import Path

from clearip_proxy.branch_outcome import BranchOutcome, Canceled
from clearip_proxy.decisions import Decision, Fork, Noted, QueryClearIp
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.records.call_event import (
    Happened,
    Instant,
    Kind,
    clock_us,
    event_line,
    this_instant,
)
from clearip_proxy.records.event_spool import EventSpool
from clearip_proxy.response_context import HeaderChanges
from clearip_proxy.routing import Request
from clearip_proxy.sip.message import SipResponse

CALL_VARIABLE = "call"
"""Where the transaction keeps the id of its call attempt."""
EVENTS_LOST = "events_lost"
"""The counter of events that could not be written."""
ASSERTED_NAMES = frozenset({"p-asserted-identity", "x-asserted-identity"})


class CallEvents:
    """Gathers the events of one callback, and writes them as one line with one system call."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: RoutingPolicy,
        clock: Callable[[], Instant] = this_instant,
    ) -> None:
        self._ksr = ksr
        self._trusted = policy.trusted
        self._memory = KsrMemory(ksr)
        self.spool = spool_of(policy, self._is_lost)
        """Where lines go that are put together elsewhere; None where nobody wants to know."""
        self._clock = clock
        self._events: list[Happened] = []
        self._call: str | None = None
        """The call attempt that this callback is about, once it is known."""

    @property
    def are_kept(self) -> bool:
        """Whether anybody wants to know."""
        return self.spool is not None

    def begun(self, request: Request, decision: Decision) -> None:
        """An INVITE outside a dialog was accepted, or is answered at once."""
        if self.spool is None:
            return
        call = self.spool.new_call_id(self._clock().clock_us)
        self._ksr.pvx.xavu_sets(CALL_VARIABLE, call)
        self._call = call
        source = self._trusted[request.source_address]
        self._events.append(
            (
                Kind.BEGUN,
                request.arrived_us,
                request.call_id,
                request.from_tag,
                self._text("$fu"),
                request.uri,
                request.source_address,
                source.name if source else None,
                self._ksr.pv.get("$ml"),
                isinstance(decision, Fork),
                isinstance(decision, QueryClearIp),
            )
        )

    def asked(self, site: str) -> None:
        """A ClearIP site is about to be sent the INVITE."""
        self._add(Kind.ASKED, site)

    def clearip_answered(self, outcome: BranchOutcome, decision: Decision, site: str) -> None:
        """A ClearIP site has answered, or has left the call without an answer."""
        if self.spool is None or isinstance(outcome, Canceled):
            return
        meaning: tuple[object, ...] = (None, None, False)
        if isinstance(decision, Noted):
            if decision.answer is not None:
                answer = decision.answer
                meaning = (answer.verdict.value, answer.contacts, answer.is_diverted)
            decision = decision.decision
        carried = _carried(decision.context.changes) if isinstance(decision, Fork) else ()
        self._add(Kind.CLEARIP, site, *_said(outcome), *meaning, *carried)

    def attempted(self, fork: Fork, hop: str) -> None:
        """A target is about to be sent the INVITE."""
        if self.spool is None:
            return
        context = fork.context
        is_signed, added_bytes = False, 0
        for name, value in context.changes[context.current].added:
            is_signed = is_signed or name == "Identity"
            added_bytes += len(name) + len(value) + 4
        self._add(Kind.ATTEMPTED, context.tried, fork.target, hop, is_signed, added_bytes)

    def unreachable(self, fork: Fork, hop: str, what: str) -> None:
        """A target could not be sent the INVITE."""
        self._add(Kind.UNREACHABLE, fork.context.tried, fork.target, hop, what)

    def target_failed(self, n: int, outcome: BranchOutcome) -> None:
        """A target has refused, or was silent for too long."""
        if self.spool is not None:
            self._add(Kind.FAILED, n, isinstance(outcome, Canceled), *_said(outcome))

    def finished(self, status: int, phrase: str, *, is_canceled: bool = False) -> None:
        """The caller is sent a final response that is no 2xx."""
        self._add(Kind.FINISHED, status, phrase, is_canceled)

    def hung_up(self, request: Request) -> None:
        """A BYE passes."""
        if self.spool is not None:
            dialog = (request.call_id, request.from_tag, request.to_tag)
            self._call = ""
            self._events.append((Kind.HUNG_UP, clock_us(), *dialog))

    def flush(self) -> None:
        """Write what has been gathered, at the end of a callback; never raises."""
        call, self._call = self._call, None
        if not self._events or self.spool is None:
            return
        now = self._clock()
        line = event_line(call or "", now, self._events)
        self._events.clear()
        self.spool.write(line, now.clock_us)

    def _is_lost(self) -> None:
        self._memory.count(EVENTS_LOST)

    def _add(self, kind: Kind, *values: object) -> None:
        """Tell of the call that is at hand; of a request that is none, nothing."""
        if self.spool is None:
            return
        if not self._call:
            call = self._ksr.pvx.xavu_get(CALL_VARIABLE)
            if call is None:
                return
            self._call = str(call)
        self._events.append((kind, clock_us(), *values))

    def _text(self, pseudo_variable: str) -> str:
        """Return a pseudo-variable's value; what is no UTF-8 in it becomes question marks."""
        try:
            value = self._ksr.pv.get(pseudo_variable)
        except UnicodeDecodeError:
            value = self._ksr.pv.get(f"$({pseudo_variable[1:]}{{s.encode.hexa}})")
            return bytes.fromhex(str(value or "")).decode(errors="replace")
        return "" if value is None else str(value)


def spool_of(policy: RoutingPolicy, on_lost: Callable[[], None] | None = None) -> EventSpool | None:
    """Return where events go; None where nobody wants to know."""
    if policy.events is None:
        return None
    memory = Path(policy.event_memory) if policy.event_memory else None
    return EventSpool(Path(policy.events), memory, on_lost)


def _said(outcome: BranchOutcome) -> tuple[object, ...]:
    """Return status, phrase and reasons of a response; a null status where there was none."""
    if not isinstance(outcome, SipResponse):
        return None, "", ()
    return outcome.status, outcome.reason_phrase, outcome.values("Reason")


def _carried(changes: tuple[HeaderChanges, ...]) -> tuple[list[str], list[str]]:
    """Return what the branches to the targets carry of ClearIP's answer: Identity, asserted."""
    added = dict.fromkeys(field for each in changes for field in each.added)
    return (
        [value for name, value in added if name == "Identity"],
        [value for name, value in added if name.lower() in ASSERTED_NAMES],
    )
