"""The leg to ClearIP: queries, on verified connections alone."""

import math
import time

from clearip_proxy.answering import after_unavailable
from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import Decision, QueryClearIp
from clearip_proxy.ksr.branches import (
    NO_CALLBACK,
    ON_AWAIT_CONNECTION,
    ON_CLEARIP_BRANCH,
    ON_CLEARIP_FAILURE,
    ON_CLEARIP_REPLY,
    ON_CONNECTION,
    KsrBranches,
)
from clearip_proxy.ksr.events import CallEvents
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import KsrReader
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.ksr.sockets import KsrSockets
from clearip_proxy.ksr.suspension import WORKER_PATIENCE_MS, KsrSuspension
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.search import TERMINATED
from clearip_proxy.sites.site_lines import Line, in_turn
from clearip_proxy.sites.site_status import Count

SOURCE_DEVICE = "P-Source-Device"
RECEIVED = 1
"""`$uac_req(evtype)` of a response that somebody sent."""
POLL_INTERVAL_S = 0.02
CONNECTION_WAITERS = "connection"
"""The group of asynchronous workers, in kamailio.cfg, whose calls wait for a connection."""


class ClearIpLeg:
    """Sends queries to the ClearIP sites."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: RoutingPolicy,
        read: KsrReader,
        events: CallEvents,
        numbers: SharedNumbers | None = None,
    ) -> None:
        self._ksr = ksr
        self._policy = policy
        self._read = read
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._sockets = KsrSockets(ksr, policy.sending)
        self._events = events
        self._branches = KsrBranches(ksr, self._log, events)
        self._sites = KsrSites(ksr, numbers)
        self._suspension = KsrSuspension(ksr)

    def query(self, query: QueryClearIp, *, may_wait: bool) -> Decision | None:
        """Send the INVITE to the first address, or the next one, that can be asked.

        `may_wait` says that the call has waited for a connection already.
        """
        self._ksr.seturi(query.context.clearip_uri)
        # A target's branch route, armed by an earlier attempt, is not for ClearIP.
        sends_source = self._policy.clearip.send_source_device
        self._ksr.tm.t_on_branch(ON_CLEARIP_BRANCH if sends_source else NO_CALLBACK)
        self._ksr.tm.t_on_reply(ON_CLEARIP_REPLY)
        context = query.context if query.next_site else query.context._replace(asked=())
        for line in in_turn(self._sites.lines(), context.asked, self._call_id):
            if self._ask(line, context):
                return None
            if self._read.is_canceled():
                return TERMINATED
        if not query.next_site and self._sites.is_connecting(self._read.now().monotonic_ms):
            return self._wait(query, may_wait=may_wait)
        return self._unavailable(query.context)

    def _call_id(self) -> str:
        return self._read.text("$ci")

    def _unavailable(self, context: ResponseContext) -> Decision:
        wait_ms = self._sites.next_try_ms(self._read.now().monotonic_ms)
        return after_unavailable(
            self._read.pending(), context, self._policy, max(1, math.ceil(wait_ms / 1000))
        )

    def _ask(self, line: Line, context: ResponseContext) -> bool:
        """Send the INVITE to an address, unless its connection has just gone or it rests."""
        if not self._sites.is_open(line.connection):
            self._log.note(f"ClearIP site {line.hop} has no verified connection")
            return False
        if not self._sites.may_be_asked(line.hop, self._read.now().monotonic_ms):
            self._log.note(f"ClearIP site {line.hop} rests")
            return False
        asking = context._replace(
            asked=(*context.asked, line.hop),
            connection=line.connection,
            transaction=self._read.transaction(),
        )
        self._branches.store(asking)
        self._events.asked(line.hop)
        is_sent = self._send_on(line, asking)
        if is_sent:
            self._log.note(f"asked ClearIP: {line.hop}")
        else:
            self._log.fault(f"ClearIP site cannot be reached: {line.hop}")
        return is_sent

    def _send_on(self, line: Line, context: ResponseContext) -> bool:
        """Send the branch on a connection and no other.

        Without "no connect" Kamailio would open one of its own when that one has just gone.
        """
        waiting = self._read.waiting(context)
        if waiting is not None:
            self._sites.asks(context.transaction, waiting)
        self._ksr.setdsturi(line.hop)
        self._sockets.towards_clearip(line.hop)
        tcpops = self._ksr.tcpops
        tcpops.tcp_set_otcpid(line.connection)
        self._ksr.set_forward_no_connect()
        is_sent = self._branches.relay(ON_CLEARIP_FAILURE, self._policy.clearip.response_timeout_ms)
        tcpops.tcp_set_otcpid_flag(0)
        if not is_sent:
            self._sites.asks_no_more(context.transaction)
        return is_sent

    def learn(self, outcome: BranchOutcome, context: ResponseContext) -> None:
        """Let a site that leaves calls without an answer rest, and one that answers work."""
        self._sites.asks_no_more(context.transaction)
        hop = context.site
        match outcome:
            case Canceled() | NoResponse(was_planted=True):
                return
            case NoResponse():
                self._log.note(f"no answer from ClearIP: {hop}")
                self._learn_silence(hop, context.connection)
            case response:
                self.heard(hop, response.status)

    def heard(self, hop: str, status: int) -> None:
        """Count an answer of a site; it ends the site's rest."""
        self._sites.count(hop, status)
        if self._sites.was_heard(hop):
            self._log.note(f"ClearIP site {hop} answers calls again")

    def _learn_silence(self, hop: str, connection: int) -> None:
        """Count a call without an answer.

        However many were under way on a connection that was lost, they count as one, when the
        keeper notices: a site that has restarted need not rest.
        """
        if not self._sites.is_open(connection):
            self._sites.count(hop, Count.LOST)
            return
        self._sites.count(hop, Count.UNANSWERED)
        if self._sites.was_silent(hop, self._read.now().monotonic_ms):
            self._log.fault(f"ClearIP site {hop} rests: calls were left without an answer")

    def _wait(self, query: QueryClearIp, *, may_wait: bool) -> Decision | None:
        """Let a call wait for the connection that is being made, where others do not wait.

        All of them wait for the same moment, so one process of their own is enough.
        """
        if may_wait:
            return self._unavailable(query.context)
        if self._read.is_canceled():
            return TERMINATED
        self._branches.store(query.context)
        longest_ms = self._policy.clearip.response_timeout_ms
        # tm's own timer only guards against a worker that never comes back.
        self._ksr.tm.t_set_fr(longest_ms + WORKER_PATIENCE_MS, longest_ms + WORKER_PATIENCE_MS)
        call = self._suspension.suspend()
        if self._read.is_canceled():
            return TERMINATED
        deadline_ms = self._read.now().monotonic_ms + longest_ms
        task = (ON_AWAIT_CONNECTION, call, (deadline_ms,))
        if not self._suspension.start_task(*task, group=CONNECTION_WAITERS):
            self._log.fault("no asynchronous worker takes the call")
            self._suspension.resume(call, ON_CONNECTION)
        return None

    def await_connection(self) -> None:
        """Wait, as a task without the call, until there is a connection, or time is over."""
        call, (deadline_ms,) = self._suspension.task()
        try:
            self._sleep_until_connected(deadline_ms)
        finally:
            self._suspension.resume(call, ON_CONNECTION)

    def _sleep_until_connected(self, deadline_ms: int) -> None:
        while not self._sites.has_open_line():
            now_ms = self._read.now().monotonic_ms
            if now_ms > deadline_ms or not self._sites.is_connecting(now_ms):
                return
            time.sleep(POLL_INTERVAL_S)

    def prepare_branch(self) -> None:
        """Tell ClearIP the caller's address, which the proxy hides otherwise."""
        if self._read.header(SOURCE_DEVICE) is None:
            self._ksr.hdr.append(f"{SOURCE_DEVICE}: {self._read.text('$si')}\r\n")

    def site_answered(self) -> None:
        """Keep which connection an answer to OPTIONS came on, for the keeper to check."""
        if self._ksr.pv.get("$uac_req(evtype)") != RECEIVED:
            return
        self._sites.answered(
            self._read.text("$uac_req(evparam)"),
            int(self._read.text("$conid") or 0),
            self._read.text("$tls_peer_raw_cert"),
            self._read.now().monotonic_ms,
        )
