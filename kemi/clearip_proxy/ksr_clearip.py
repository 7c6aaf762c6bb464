"""The leg to ClearIP: queries, on verified connections alone."""

import time

from clearip_proxy.answering import after_unavailable
from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import Decision, QueryClearIp
from clearip_proxy.ksr_branches import (
    NO_CALLBACK,
    ON_CLEARIP_BRANCH,
    ON_CLEARIP_FAILURE,
    ON_CLEARIP_REPLY,
    ON_CONNECTION,
    KsrBranches,
)
from clearip_proxy.ksr_events import CallEvents
from clearip_proxy.ksr_log import KsrLog
from clearip_proxy.ksr_port import KsrPort, async_tasks
from clearip_proxy.ksr_reader import KsrReader
from clearip_proxy.ksr_sites import KsrSites
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.search import TERMINATED

SITE_SET = 1
"""The dispatcher set that holds the ClearIP sites."""
BY_PRIORITY = 8
"""The dispatcher algorithm that takes the first site that is not down."""
SOURCE_DEVICE = "P-Source-Device"
RECEIVED = 1
"""`$uac_req(evtype)` of a response that somebody sent."""
POLL_INTERVAL_S = 0.02


class ClearIpLeg:
    """Sends queries to the ClearIP sites."""

    def __init__(
        self, ksr: KsrPort, policy: RoutingPolicy, read: KsrReader, events: CallEvents
    ) -> None:
        self._ksr = ksr
        self._policy = policy
        self._read = read
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._events = events
        self._branches = KsrBranches(ksr, self._log, events)
        self._sites = KsrSites(ksr)

    def query(self, query: QueryClearIp, *, may_wait: bool) -> Decision | None:
        """Send the INVITE to the first site, or the next one, that can be asked.

        `may_wait` says that no other call waits for this process.
        """
        if may_wait and not query.next_site:
            self._sleep_until_connected()
        self._ksr.seturi(query.context.clearip_uri)
        # A target's branch route, armed by an earlier attempt, is not for ClearIP.
        sends_source = self._policy.clearip.send_source_device
        self._ksr.tm.t_on_branch(ON_CLEARIP_BRANCH if sends_source else NO_CALLBACK)
        self._ksr.tm.t_on_reply(ON_CLEARIP_REPLY)
        is_found = self._next_site(is_first=not query.next_site)
        while is_found:
            if self._ask(query.context):
                return None
            if self._read.is_canceled():
                return TERMINATED
            is_found = self._next_site(is_first=False)
        if not query.next_site and self._sites.is_connecting(self._read.now().monotonic_ms):
            return self._wait(query, may_wait=may_wait)
        return after_unavailable(self._read.pending(), query.context, self._policy)

    def _next_site(self, *, is_first: bool) -> bool:
        dispatcher = self._ksr.dispatcher
        if is_first:
            return dispatcher.ds_select_dst(SITE_SET, BY_PRIORITY) > 0
        return dispatcher.ds_next_dst() > 0

    def _ask(self, context: ResponseContext) -> bool:
        """Send the INVITE to the chosen site, unless it has no verified connection or rests."""
        site = self._read.text("$du")
        connection = self._sites.usable_connection(site)
        if connection is None:
            self._log.note(f"ClearIP site {site} has no verified connection")
            return False
        if self._sites.is_resting(site, self._read.now().monotonic_ms):
            self._log.note(f"ClearIP site {site} rests")
            return False
        self._branches.store(context._replace(site=site))
        self._events.asked(site)
        is_sent = self._send_on(connection)
        if is_sent:
            self._log.note(f"asked ClearIP: {site}")
        else:
            self._log.fault(f"ClearIP site cannot be reached: {site}")
        return is_sent

    def _send_on(self, connection: int) -> bool:
        """Send the branch on a connection and no other.

        Without "no connect" Kamailio would open one of its own when that one has just gone.
        """
        tcpops = self._ksr.tcpops
        tcpops.tcp_set_otcpid(connection)
        self._ksr.set_forward_no_connect()
        is_sent = self._branches.relay(ON_CLEARIP_FAILURE, self._policy.clearip.response_timeout_ms)
        tcpops.tcp_set_otcpid_flag(0)
        return is_sent

    def learn(self, outcome: BranchOutcome, context: ResponseContext) -> None:
        """Let a site that leaves calls without an answer rest, and one that answers work."""
        site = context.site
        match outcome:
            case Canceled():
                return
            case NoResponse():
                now_ms = self._read.now().monotonic_ms
                asked_ms = now_ms - self._policy.clearip.response_timeout_ms
                if self._sites.was_silent(site, asked_ms, now_ms):
                    self._log.fault(f"ClearIP site {site} rests: calls were left without an answer")
            case _:
                if self._sites.was_heard(site):
                    self._log.note(f"ClearIP site {site} answers calls again")

    def _wait(self, query: QueryClearIp, *, may_wait: bool) -> Decision | None:
        """Let a call wait for the connection that is being made, where others do not wait."""
        if may_wait:
            return after_unavailable(self._read.pending(), query.context, self._policy)
        if self._read.is_canceled():
            return TERMINATED
        self._branches.store(query.context)
        if async_tasks(self._ksr).task_route(ON_CONNECTION) < 0:
            self._log.fault("no asynchronous worker takes the call")
            return after_unavailable(self._read.pending(), query.context, self._policy)
        return TERMINATED if self._read.is_canceled() else None

    def _sleep_until_connected(self) -> None:
        clearip = self._policy.clearip
        deadline_ms = self._read.now().monotonic_ms + clearip.response_timeout_ms
        while not any(self._sites.usable_connection(site) for site in clearip.sites):
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
