"""The leg to the targets: one attempt, with the look-ups that it needs.

A look-up may take seconds. It never happens in a process that other calls wait for: the call is
suspended and goes on in one of Kamailio's asynchronous workers, which alone may block.
"""

from collections.abc import Callable
from typing import NamedTuple

from clearip_proxy.decisions import Decision, Fork
from clearip_proxy.destination import leads_here
from clearip_proxy.dialog_token import PARAMETER
from clearip_proxy.dns_records import DnsRecords
from clearip_proxy.ksr_branches import (
    NO_CALLBACK,
    ON_LOOK_UP,
    ON_TARGET_BRANCH,
    ON_TARGET_FAILURE,
    KsrBranches,
)
from clearip_proxy.ksr_log import KsrLog
from clearip_proxy.ksr_memory import TCP_REFUSED, UNREACHABLE, KsrMemory
from clearip_proxy.ksr_port import KsrPort, async_tasks
from clearip_proxy.ksr_reader import KsrReader
from clearip_proxy.locating import LookUpFailed, locate
from clearip_proxy.next_hop import is_udp, needs_look_up, outgrows_udp, over_tcp
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.response_context import HeaderChanges
from clearip_proxy.search import TERMINATED, after_unreachable, awaiting, with_addresses
from clearip_proxy.tcp_probe import takes_tcp
from clearip_proxy.uri import Uri, parse_uri

UNKNOWN_NAME_TTL_S = 10
"""How long a name that leads nowhere is not asked for again."""
LARGE_OVER_TCP = "large_requests_over_tcp"


class MustAskError(Exception):
    """The next step needs something from outside, and this process may not wait for it."""


class Outside(NamedTuple):
    """What may be asked outside Kamailio, by a process that may block."""

    records: Callable[[], DnsRecords] = DnsRecords
    takes_tcp: Callable[[str, int], bool] = takes_tcp


THE_WORLD = Outside()


class TargetLeg:
    """Sends branches to targets."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: RoutingPolicy,
        read: KsrReader,
        outside: Outside = THE_WORLD,
    ) -> None:
        self._ksr = ksr
        self._policy = policy
        self._read = read
        self._outside = outside
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._branches = KsrBranches(ksr, self._log)
        self._memory = KsrMemory(ksr)

    def fork(self, fork: Fork, *, may_wait: bool) -> Decision | None:
        """Try a target; `may_wait` says that this process may ask the DNS and the target."""
        try:
            return self._attempt(fork, may_wait=may_wait)
        except MustAskError:
            return self._suspend(fork)

    def _attempt(self, fork: Fork, *, may_wait: bool) -> Decision | None:
        located = self._located(fork, may_wait=may_wait)
        if located is None:
            return self._unreachable(fork, "leads nowhere, or to the proxy itself")
        hop = parse_uri(located.next_hop or located.target)
        if not is_udp(hop):
            if not self._takes_tcp(hop, UNREACHABLE, may_wait=may_wait):
                return self._unreachable(located, "takes no connection")
        elif self._is_large(located, hop) and self._takes_tcp(hop, TCP_REFUSED, may_wait=may_wait):
            self._memory.count(LARGE_OVER_TCP)
            return self._send(located, over_tcp(hop), or_over_udp=True)
        return self._send(located, located.next_hop)

    def _located(self, fork: Fork, *, may_wait: bool) -> Fork | None:
        """Add the addresses of a target that is a name; None when it has none but the proxy's."""
        target = parse_uri(fork.target)
        if fork.next_hop:
            return fork
        if not needs_look_up(target):
            return None if leads_here(target, self._policy) else fork
        next_hops = self._next_hops(target, may_wait=may_wait)
        others = tuple(hop for hop in next_hops if not leads_here(parse_uri(hop), self._policy))
        return with_addresses(fork, others) if others else None

    def _next_hops(self, target: Uri, *, may_wait: bool) -> tuple[str, ...]:
        """Return where a name leads, from memory or from the DNS."""
        key = f"{target.scheme}:{target.canonical_host}:{target.port}:{target.transport}"
        known = self._memory.next_hops(key)
        if known is not None:
            return known
        _must_be_allowed(may_wait=may_wait)
        records = self._outside.records()
        try:
            next_hops = tuple(address.uri for address in locate(target, records))
        except LookUpFailed as failure:
            self._log.fault(f"name server: {failure}")
            next_hops = ()
        self._memory.learn_next_hops(
            key, next_hops, records.ttl_s if next_hops else UNKNOWN_NAME_TTL_S
        )
        return next_hops

    def _is_large(self, fork: Fork, hop: Uri) -> bool:
        added = _size_bytes(fork.context.changes[fork.context.current])
        return outgrows_udp(hop, self._read.size_bytes(), added, self._policy.search)

    def _takes_tcp(self, hop: Uri, refusals: str, *, may_wait: bool) -> bool:
        """Tell whether a target takes connections, from memory or by opening one.

        Kamailio itself would notice a refusal only when the target's time to respond is over.
        """
        known = self._memory.takes_tcp(_host_port(hop), refusals)
        if known is not None:
            return known
        _must_be_allowed(may_wait=may_wait)
        taken = self._outside.takes_tcp(hop.canonical_host.strip("[]"), hop.effective_port)
        self._memory.learn_tcp(_host_port(hop), refusals, taken=taken)
        return taken

    def _suspend(self, fork: Fork) -> Decision | None:
        """Let an asynchronous worker go on with the call.

        The transaction must not be canceled already: Kamailio would not suspend it and not say
        so, and ClearIP's 302 would go to the caller. It is looked at before and after.
        """
        if self._read.is_canceled():
            return TERMINATED
        self._branches.store(awaiting(fork))
        self._ksr.tm.t_on_failure(ON_TARGET_FAILURE)
        self._ksr.tm.t_set_fr(fork.no_response_timeout_ms, fork.no_response_timeout_ms)
        if async_tasks(self._ksr).task_route(ON_LOOK_UP) < 0:
            self._log.fault("no asynchronous worker takes the call")
            return after_unreachable(fork.context, self._policy, self._read.now())
        return TERMINATED if self._read.is_canceled() else None

    def _send(self, fork: Fork, hop: str, *, or_over_udp: bool = False) -> Decision | None:
        if self._relay(fork, hop):
            place = f" at {hop}" if hop else ""
            self._log.note(f"target {fork.context.tried}: {fork.target}{place}")
            return None
        if self._read.is_canceled():
            return TERMINATED
        sent_to = parse_uri(hop or fork.target)
        if not is_udp(sent_to):
            refusals = TCP_REFUSED if or_over_udp else UNREACHABLE
            self._memory.learn_tcp(_host_port(sent_to), refusals, taken=False)
        if or_over_udp:
            return self._send(fork, fork.next_hop)
        return self._unreachable(fork, "cannot be reached")

    def _unreachable(self, fork: Fork, what: str) -> Decision:
        place = f" at {fork.next_hop}" if fork.next_hop else ""
        self._log.note(f"target {fork.context.tried} {what}: {fork.target}{place}")
        return after_unreachable(fork.context, self._policy, self._read.now())

    def _relay(self, fork: Fork, hop: str) -> bool:
        ksr = self._ksr
        self._branches.store(fork.context)
        ksr.seturi(fork.target)
        if hop:
            ksr.setdsturi(hop)
        else:
            ksr.pv.unset("$du")
        self._branches.server_name(_server_name(fork.target))
        ksr.tm.t_on_branch(ON_TARGET_BRANCH)
        # What a ClearIP site may not say, a target may.
        ksr.tm.t_on_reply(NO_CALLBACK)
        return self._branches.relay(
            ON_TARGET_FAILURE, fork.no_response_timeout_ms, fork.answer_timeout_ms
        )

    def prepare_branch(self) -> None:
        """Give a branch the header fields that ClearIP returned.

        In the branch route, so that every attempt has them exactly once: what a failure route
        appends is lost on the branches after the next.
        """
        context = self._read.context()
        changes = context.changes[context.current]
        hdr = self._ksr.hdr
        for name in changes.removed:
            hdr.remove(name)
        for name, value in changes.added:
            if self._branches.is_sendable(name, value):
                hdr.append(f"{name}: {value}\r\n")
        token = self._policy.dialog_keys.token(self._read.text("$ci"), self._read.text("$ft"))
        self._ksr.rr.record_route_params(f";{PARAMETER}={token}")


def _must_be_allowed(*, may_wait: bool) -> None:
    if not may_wait:
        raise MustAskError


def _host_port(hop: Uri) -> str:
    return f"{hop.canonical_host}:{hop.effective_port}"


def _size_bytes(changes: HeaderChanges) -> int:
    """Return what the added header fields take on the wire, name, colon and line end included."""
    return sum(len(name) + len(value) + 4 for name, value in changes.added)


def _server_name(target: str) -> str:
    """Return the name to ask for in TLS (RFC 6066 §3: never an address); "" for none."""
    uri = parse_uri(target)
    return uri.canonical_host if needs_look_up(uri) else ""
