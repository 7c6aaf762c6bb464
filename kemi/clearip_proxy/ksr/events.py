"""Telling what happens to a call, without a say in it.

Nothing here may cost a call anything: what cannot be told or written is counted, and that is all.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from clearip_proxy.branch_outcome import BranchOutcome, Canceled
from clearip_proxy.decisions import Decision, Fork, Noted, QueryClearIp
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.records.call_event import Instant, Kind, event_line, new_call_id, this_instant
from clearip_proxy.records.event_spool import EventSpool
from clearip_proxy.response_context import HeaderChanges
from clearip_proxy.routing import Request
from clearip_proxy.sip.message import SipResponse

CALL_VARIABLE = "call"
"""Where the transaction keeps the id of its call attempt."""
EVENTS_LOST = "events_lost"
"""The counter of events that could not be written."""
ASSERTED_NAMES = frozenset({"p-asserted-identity", "x-asserted-identity"})
TRYING, FIRST_SUCCESS, FIRST_REDIRECTION = 100, 200, 300


class CallEvents:
    """Gathers the events of one callback, and writes them with one system call."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: RoutingPolicy,
        clock: Callable[[], Instant] = this_instant,
    ) -> None:
        self._ksr = ksr
        self._trusted = policy.trusted
        self._memory = KsrMemory(ksr)
        self._spool = EventSpool(Path(policy.events)) if policy.events else None
        self._clock = clock
        self._lines: list[str] = []
        self._call: str | None = None
        """The call attempt that this callback is about, once it is known."""

    @property
    def are_kept(self) -> bool:
        """Whether anybody wants to know."""
        return self._spool is not None

    def begun(self, request: Request, decision: Decision) -> None:
        """An INVITE outside a dialog was accepted, or is answered at once."""
        if self._spool is None:
            return
        now = self._clock()
        call = new_call_id(now)
        self._ksr.pvx.xavu_sets(CALL_VARIABLE, call)
        self._call = call
        source = self._trusted[request.source_address]
        values = {
            "call_id": request.call_id,
            "from_tag": request.from_tag,
            "from": self._text("$fu"),
            "to": request.uri,
            "address": request.source_address,
            "source": source.name if source else None,
            "bytes": self._ksr.pv.get("$ml"),
            "emergency": isinstance(decision, Fork),
            "query": isinstance(decision, QueryClearIp),
        }
        at_us = now.at_us - now.clock_us + request.arrived_us
        arrived = Instant(at_us, request.arrived_us)
        self._lines.append(event_line(Kind.BEGUN, arrived, call, values))

    def asked(self, site: str) -> None:
        """A ClearIP site is about to be sent the INVITE."""
        self._add(Kind.ASKED, {"site": site})

    def clearip_answered(self, outcome: BranchOutcome, decision: Decision, site: str) -> None:
        """A ClearIP site has answered, or has left the call without an answer."""
        if self._spool is None or isinstance(outcome, Canceled):
            return
        values: dict[str, object] = {"site": site, **_status(outcome)}
        if isinstance(decision, Noted) and decision.answer is not None:
            answer = decision.answer
            values |= {
                "verdict": answer.verdict.value,
                "contacts": answer.contacts,
                "diverted": answer.is_diverted,
            }
            decision = decision.decision
        if isinstance(decision, Fork):
            values |= _carried(decision.context.changes)
        self._add(Kind.CLEARIP, values)

    def attempted(self, fork: Fork, hop: str) -> None:
        """A target is about to be sent the INVITE."""
        if self._spool is None:
            return
        context = fork.context
        added = context.changes[context.current].added
        self._add(
            Kind.ATTEMPTED,
            {
                "n": context.tried,
                "target": fork.target,
                "hop": hop,
                "signed": any(name == "Identity" for name, _ in added),
                "added": sum(len(name) + len(value) + 4 for name, value in added),
            },
        )

    def unreachable(self, fork: Fork, hop: str, what: str) -> None:
        """A target could not be sent the INVITE."""
        self._add(
            Kind.UNREACHABLE,
            {"n": fork.context.tried, "target": fork.target, "hop": hop, "what": what},
        )

    def target_failed(self, n: int, outcome: BranchOutcome) -> None:
        """A target has refused, or was silent for too long."""
        if self._spool is not None:
            values = {"n": n, "canceled": isinstance(outcome, Canceled), **_status(outcome)}
            self._add(Kind.FAILED, values)

    def target_responded(self) -> None:
        """A target has sent a response; a provisional one and a 2xx are told here."""
        status = self._ksr.pv.get("$rs")
        if isinstance(status, int) and TRYING < status < FIRST_REDIRECTION:
            self._add(Kind.RANG if status < FIRST_SUCCESS else Kind.ANSWERED, {"status": status})

    def finished(self, status: int, phrase: str, *, is_canceled: bool = False) -> None:
        """The caller is sent a final response that is no 2xx."""
        self._add(Kind.FINISHED, {"status": status, "phrase": phrase, "canceled": is_canceled})

    def hung_up(self, request: Request) -> None:
        """A BYE passes."""
        if self._spool is None:
            return
        values = {
            "call_id": request.call_id,
            "from_tag": request.from_tag,
            "to_tag": request.to_tag,
        }
        self._lines.append(event_line(Kind.HUNG_UP, self._clock(), "", values))

    def flush(self) -> None:
        """Write what has been gathered, at the end of a callback; never raises."""
        self._call = None
        if not self._lines or self._spool is None:
            return
        text = "".join(self._lines)
        self._lines.clear()
        try:
            self._spool.write(text)
        except OSError:
            self._memory.count(EVENTS_LOST)

    def _add(self, kind: Kind, values: Mapping[str, object]) -> None:
        """Tell of the call that is at hand; of a request that is none, nothing."""
        if self._spool is None:
            return
        if self._call is None:
            call = self._ksr.pvx.xavu_get(CALL_VARIABLE)
            if call is None:
                return
            self._call = str(call)
        self._lines.append(event_line(kind, self._clock(), self._call, values))

    def _text(self, pseudo_variable: str) -> str:
        """Return a pseudo-variable's value; what is no UTF-8 in it becomes question marks."""
        try:
            value = self._ksr.pv.get(pseudo_variable)
        except UnicodeDecodeError:
            value = self._ksr.pv.get(f"$({pseudo_variable[1:]}{{s.encode.hexa}})")
            return bytes.fromhex(str(value or "")).decode(errors="replace")
        return "" if value is None else str(value)


def _status(outcome: BranchOutcome) -> dict[str, object]:
    """Return what a response said of itself; a null status where there was none."""
    if not isinstance(outcome, SipResponse):
        return {"status": None}
    said: dict[str, object] = {"status": outcome.status, "phrase": outcome.reason_phrase}
    reasons = outcome.values("Reason")
    return {**said, "reasons": reasons} if reasons else said


def _carried(changes: tuple[HeaderChanges, ...]) -> dict[str, object]:
    """Return what the branches to the targets carry of ClearIP's answer."""
    added = dict.fromkeys(field for each in changes for field in each.added)
    return {
        "identities": [value for name, value in added if name == "Identity"],
        "asserted": [value for name, value in added if name.lower() in ASSERTED_NAMES],
    }
