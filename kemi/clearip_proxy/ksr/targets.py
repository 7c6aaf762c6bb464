"""The leg to the targets: one attempt, when the way to the target is known.

Finding it may take seconds. It never happens in a process that other calls wait for, nor while
the call's transaction is locked: the call is suspended, and a worker asks for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from clearip_proxy.decisions import Decision, Fork
from clearip_proxy.dialog_token import PARAMETER
from clearip_proxy.ksr.branches import (
    NO_CALLBACK,
    ON_LOOK_UP,
    ON_NOT_LOOKED_UP,
    ON_TARGET_BRANCH,
    ON_TARGET_FAILURE,
    ON_TARGET_REPLY,
    KsrBranches,
)
from clearip_proxy.ksr.events import CallEvents
from clearip_proxy.ksr.knowledge import MustAskError, Remembered, host_port
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import KsrReader
from clearip_proxy.ksr.sockets import KsrSockets
from clearip_proxy.ksr.suspension import WORKER_PATIENCE_MS, KsrSuspension
from clearip_proxy.location.next_hop import is_named, is_udp, over_tcp
from clearip_proxy.location.target_way import Wanted, Way, find_way
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.response_context import HeaderChanges, ResponseContext
from clearip_proxy.search import TERMINATED, after_unreachable, awaiting, with_addresses
from clearip_proxy.sip.uri import Uri, parse_uri

LARGE_OVER_TCP = "large_requests_over_tcp"
LARGE_BACK_TO_UDP = "large_requests_back_to_udp"
UNREACHABLE = "cannot be reached"


class TargetLeg:
    """Sends branches to targets."""

    def __init__(
        self, ksr: KsrPort, policy: RoutingPolicy, read: KsrReader, events: CallEvents
    ) -> None:
        self._ksr = ksr
        self._policy = policy
        self._read = read
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._sockets = KsrSockets(ksr, policy.sending)
        self._events = events
        self._branches = KsrBranches(ksr, self._log, events)
        self._memory = KsrMemory(ksr)
        self._being_sent: ResponseContext | None = None
        """The context of the branch that `t_relay` is sending: its branch route runs meanwhile."""
        self._are_given = False
        self._remembered = Remembered(self._memory)
        self._suspension = KsrSuspension(ksr)

    def fork(self, fork: Fork, *, may_look_up: bool = True) -> Decision | None:
        """Try a target; without `may_look_up` one that a worker must ask about is passed over."""
        wanted = self._wanted(fork)
        try:
            way = find_way(wanted, self._remembered, self._policy)
        except MustAskError:
            if may_look_up and not fork.was_asked:
                return self._suspend(fork, wanted)
            return self._unreachable(fork, "could not be looked up in time")
        located = with_addresses(fork, way.next_hops) if way.next_hops else fork
        if way.why_none:
            return self._unreachable(located, way.why_none)
        if way.over_tcp:
            return self._send_large(located, way)
        return self._send(located, way.target, way.hop)

    def _wanted(self, fork: Fork) -> Wanted:
        added_bytes = _size_bytes(fork.context.changes[fork.context.current])
        return Wanted(fork.target, fork.next_hop, self._read.size_bytes(), added_bytes)

    def _suspend(self, fork: Fork, wanted: Wanted) -> Decision | None:
        """Let a worker find the way, and go on with the call then.

        The transaction must not be canceled already: Kamailio would not suspend it and not say
        so, and ClearIP's 302 would go to the caller. It is looked at before and after.
        """
        if self._read.is_canceled():
            return TERMINATED
        self._branches.store(awaiting(fork))
        self._ksr.tm.t_on_failure(ON_TARGET_FAILURE)
        longest_ms = fork.no_response_timeout_ms + WORKER_PATIENCE_MS
        self._ksr.tm.t_set_fr(longest_ms, longest_ms)
        call = self._suspension.suspend()
        if self._read.is_canceled():
            return TERMINATED
        deadline_ms = self._read.now().monotonic_ms + fork.no_response_timeout_ms
        if not self._suspension.start_task(ON_LOOK_UP, call, (wanted, deadline_ms)):
            self._log.fault("no asynchronous worker takes the call")
            self._suspension.resume(call, ON_NOT_LOOKED_UP)
        return None

    def resume_overdue(self) -> None:
        """End the suspension of a call whose worker has not come back.

        As long as it lasts, tm takes no notice of what the next target answers.
        """
        self._suspension.resume(self._suspension.this_call(), NO_CALLBACK)

    def _send_large(self, fork: Fork, way: Way) -> Decision | None:
        """Try TCP, and UDP in the same call where the connection has gone by now."""
        self._memory.count(LARGE_OVER_TCP)
        if self._relay(fork, way.target, over_tcp(way.hop)):
            return None
        if self._read.is_canceled():
            return TERMINATED
        self._events.unreachable(fork, over_tcp(way.hop), UNREACHABLE)
        self._memory.count(LARGE_BACK_TO_UDP)
        self._memory.learn_tcp(host_port(way.hop), "tcp_refused", taken=False)
        return self._send(fork, way.target, way.hop)

    def _send(self, fork: Fork, target: Uri, hop: Uri) -> Decision | None:
        if self._relay(fork, target, fork.next_hop):
            return None
        if not is_udp(hop) and not self._read.is_canceled():
            self._memory.learn_tcp(host_port(hop), "unreachable", taken=False)
        return self.unsent(fork)

    def unsent(self, fork: Fork) -> Decision:
        """Decide what follows when a branch could not be sent."""
        return TERMINATED if self._read.is_canceled() else self._unreachable(fork, UNREACHABLE)

    @contextmanager
    def given_headers(self) -> Iterator[None]:
        """Know that the message at hand has the header fields of its branches already."""
        self._are_given = True
        try:
            yield
        finally:
            self._are_given = False

    def _unreachable(self, fork: Fork, why: str) -> Decision:
        place = f" at {fork.next_hop}" if fork.next_hop else ""
        self._log.note(f"target {fork.context.tried} {why}: {fork.target}{place}")
        self._events.unreachable(fork, fork.next_hop, why)
        return after_unreachable(fork.context, self._policy, self._read.now())

    def _relay(self, fork: Fork, target: Uri, hop: str) -> bool:
        ksr = self._ksr
        self._branches.store(fork.context)
        ksr.seturi(fork.target)
        if hop:
            ksr.setdsturi(hop)
        else:
            ksr.pv.unset("$du")
        destination = parse_uri(hop) if hop else target
        self._sockets.towards(destination)
        if not is_udp(destination):
            self._branches.server_name(target.canonical_host if is_named(target) else "")
        ksr.tm.t_on_branch(ON_TARGET_BRANCH)
        # What a ClearIP site may not say, a target may.
        ksr.tm.t_on_reply(ON_TARGET_REPLY if self._events.are_kept else NO_CALLBACK)
        self._events.attempted(fork, hop)
        self._being_sent = fork.context
        is_sent = self._branches.relay(
            ON_TARGET_FAILURE, fork.no_response_timeout_ms, fork.answer_timeout_ms
        )
        self._being_sent = None
        if is_sent:
            place = f" at {hop}" if hop else ""
            self._log.note(f"target {fork.context.tried}: {fork.target}{place}")
        return is_sent

    def prepare_branch(self) -> None:
        """Give a branch the header fields that ClearIP returned.

        In the branch route, so that every attempt has them exactly once: what a failure route
        appends is lost on the branches after the next.
        """
        if self._are_given:
            return
        context = self._being_sent or self._read.context()
        changes = context.changes[context.current]
        hdr = self._ksr.hdr
        for name in changes.removed:
            hdr.remove(name)
        for name, value in changes.added:
            if self._branches.is_sendable(name, value):
                hdr.append(f"{name}: {value}\r\n")
        token = self._policy.dialog_keys.token(
            self._read.text("$ci"), self._read.text("$ft"), self._counted_source()
        )
        self._ksr.rr.record_route_params(f";{PARAMETER}={token}")

    def _counted_source(self) -> str:
        """Return the id of the source that the call counts for; "" where there is no limit."""
        trusted = self._policy.trusted
        source = trusted[self._read.text("$si")] if trusted.count_calls else None
        return source.id if source is not None and source.max_calls is not None else ""


def _size_bytes(changes: HeaderChanges) -> int:
    """Return what the added header fields take on the wire, name, colon and line end included."""
    return sum(len(name) + len(value) + 4 for name, value in changes.added)
