"""The callbacks that Kamailio looks up by name: each joins values to a decision, and no more."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from clearip_proxy.answering import after_clearip
from clearip_proxy.decisions import Decision, QueryClearIp
from clearip_proxy.ksr.calls import CALL_EXPIRED
from clearip_proxy.ksr.cluster import ClusterDoor
from clearip_proxy.ksr.events import spool_of
from clearip_proxy.ksr.gateway import KsrGateway
from clearip_proxy.ksr.plain_calls import PlainCalls
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.moment import Moment, this_moment
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.process.claimed_memory import claim_shared_memory
from clearip_proxy.process.guard import guarded
from clearip_proxy.process.large_pages import use_large_pages
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.records.call_event import this_instant
from clearip_proxy.records.spool_keeper import SpoolKeeper
from clearip_proxy.routing import on_request
from clearip_proxy.search import after_target, awaited_branch

if TYPE_CHECKING:
    from clearip_proxy.ksr.clock import ClockWatch
    from clearip_proxy.ksr.cluster_keeper import ClusterKeeper
    from clearip_proxy.ksr.connections import MuteConnections
    from clearip_proxy.ksr.finder import SiteFinder
    from clearip_proxy.ksr.keeper import SiteKeeper
    from clearip_proxy.ksr.overload import OverloadWatch


QUICK = ("ksr_request_route", "ksr_failure_clearip", "ksr_reply_clearip", "ksr_reply_target")
"""What each call calls."""


class Callbacks:
    """The callbacks that Kamailio looks up by name, in every worker process."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: RoutingPolicy,
        now: Callable[[], Moment] = this_moment,
        numbers: SharedNumbers | None = None,
    ) -> None:
        self._ksr = ksr
        self._numbers = numbers or SharedNumbers()
        self._gateway = KsrGateway(ksr, policy, now, self._numbers)
        self._plain = PlainCalls(ksr, policy, self._gateway, self._numbers)
        self._policy = policy
        self._keeper: SiteKeeper | None = None
        self._finder: SiteFinder | None = None
        self._watch: OverloadWatch | None = None
        self._mute: MuteConnections | None = None
        self._clock: ClockWatch | None = None
        self._cluster_keeper: ClusterKeeper | None = None
        self._cluster = ClusterDoor(ksr, policy, policy.cluster) if policy.cluster else None
        # A proxy alone does not even look for the group's messages.
        self._take_request = self._on_request_of_a_node if self._cluster else self._on_request
        spool = spool_of(policy)
        self._spool_keeper = SpoolKeeper(spool, this_instant()) if spool is not None else None

    def child_init(self, rank: int) -> int:
        """Begin a process; those that take messages, with a positive rank, are made quick."""
        if rank > 0:
            guarded(self._quicken, self._gateway.report)
        return 0

    def _quicken(self) -> None:
        use_large_pages()
        claim_shared_memory()

    def ksr_request_route(self, _msg: object) -> int:
        """Take a request."""
        return guarded(self._take_request, self._gateway.fail)

    def ksr_failure_clearip(self, _msg: object) -> int:
        """Take the end of a query to ClearIP that was not a 2xx."""
        return guarded(self._after_clearip, self._gateway.fail)

    def ksr_failure_target(self, _msg: object) -> int:
        """Take the end of a branch to a target that was not a 2xx."""
        return guarded(self._after_target, self._gateway.fail)

    def ksr_branch_clearip(self, _msg: object) -> int:
        """Complete a query to ClearIP just before it is sent."""
        return guarded(self._gateway.clearip.prepare_branch, self._gateway.fail)

    def ksr_branch_target(self, _msg: object) -> int:
        """Complete a branch to a target just before it is sent."""
        return guarded(self._gateway.targets.prepare_branch, self._gateway.fail)

    def ksr_reply_clearip(self, _msg: object) -> int:
        """Take a response of ClearIP's before Kamailio acts on it."""
        return guarded(self._gateway.replies.take, self._gateway.report)

    def ksr_stray_reply(self, _msg: object, _event: str = "") -> int:
        """Take a response that belongs to no transaction any more."""
        return guarded(self._gateway.replies.take_stray, self._gateway.report)

    def ksr_reply_target(self, _msg: object) -> int:
        """Take a response of a target, which is relayed whatever becomes of this."""
        return guarded(self._plain.target_responded, self._gateway.report)

    def ksr_look_up(self, _msg: object, _event: str = "") -> int:
        """Find, in an asynchronous worker, the way to a target that a call waits for."""
        return guarded(self._gateway.look_ups.run, self._gateway.report)

    def ksr_looked_up(self, _msg: object, _event: str = "") -> int:
        """Go on with a call that has waited for the way to its target."""
        return guarded(self._after_look_up, self._gateway.fail)

    def ksr_not_looked_up(self, _msg: object, _event: str = "") -> int:
        """Go on with a call that no worker has taken up."""
        return guarded(self._without_look_up, self._gateway.fail)

    def ksr_await_connection(self, _msg: object, _event: str = "") -> int:
        """Wait, in an asynchronous worker, for a connection that a call waits for."""
        return guarded(self._gateway.clearip.await_connection, self._gateway.report)

    def ksr_connection(self, _msg: object, _event: str = "") -> int:
        """Go on, in an asynchronous worker, with a call that waits for a connection."""
        return guarded(self._after_connection, self._gateway.fail)

    def ksr_site_answer(self, _msg: object, _event: str = "") -> int:
        """Take the answer of a ClearIP site to OPTIONS."""
        return guarded(self._gateway.clearip.site_answered, self._gateway.report)

    def ksr_table_event(self, _msg: object, event: str = "") -> int:
        """Take an entry of a shared table that has expired."""
        if event != CALL_EXPIRED:
            return 1
        return guarded(self._gateway.calls.expired, self._gateway.report)

    def ksr_find_sites(self, _msg: object, _event: str = "") -> int:
        """Run by a timer in a process of its own: look up the names of the ClearIP sites."""
        return guarded(self._find_sites, self._gateway.report)

    def ksr_keep_sites(self, _msg: object, _event: str = "") -> int:
        """Run by a timer in a process of its own: look after the ClearIP sites."""
        return guarded(self._keep_sites, self._gateway.report)

    def _on_request_of_a_node(self) -> None:
        if self._cluster is None or not self._cluster.takes():
            self._on_request()

    def _on_request(self) -> None:
        if self._plain.take_request():
            return
        gateway = self._gateway
        request = gateway.read.request()
        gateway.begin(on_request(request, self._policy), request)

    def _after_clearip(self) -> None:
        if self._plain.take_answer():
            return
        read = self._gateway.read
        outcome, context = read.branch_outcome(), read.context()
        self._gateway.clearip.learn(outcome, context)
        decision = after_clearip(outcome, read.pending(), context, self._policy)
        self._gateway.events.clearip_answered(outcome, decision, context.site)
        self._gateway.carry_out(decision)

    def _after_target(self) -> None:
        gateway = self._gateway
        outcome, context = gateway.read.branch_outcome(), gateway.read.context()
        if context.awaited is not None:
            gateway.targets.resume_overdue()
        else:
            gateway.events.target_failed(context.tried, outcome)
        gateway.carry_out(after_target(outcome, context, self._policy, gateway.read.now()))

    def _after_look_up(self) -> None:
        self._gateway.carry_out(self._awaited_branch())

    def _without_look_up(self) -> None:
        self._gateway.carry_out(self._awaited_branch(), may_look_up=False)

    def _awaited_branch(self) -> Decision:
        read = self._gateway.read
        return awaited_branch(read.context(), self._policy.search, read.now())

    def _after_connection(self) -> None:
        self._gateway.carry_out(QueryClearIp(self._gateway.read.context()), may_wait=True)

    def _keep_sites(self) -> None:
        if self._keeper is None:
            # Only the timer's process needs it, and the library that reads certificates.
            from clearip_proxy.ksr.clock import ClockWatch  # noqa: PLC0415
            from clearip_proxy.ksr.connections import MuteConnections  # noqa: PLC0415
            from clearip_proxy.ksr.keeper import SiteKeeper  # noqa: PLC0415
            from clearip_proxy.ksr.overload import OverloadWatch  # noqa: PLC0415

            self._keeper = SiteKeeper(
                self._ksr, self._policy.clearip, self._gateway.read.now, numbers=self._numbers
            )
            self._watch = OverloadWatch(self._ksr, self._policy, self._numbers)
            self._mute = MuteConnections(self._ksr, self._policy)
            self._clock = ClockWatch(self._ksr)
            self._cluster_keeper = self._keeper_of_cluster()
        self._keeper.tick()
        now = self._gateway.read.now()
        now_ms = now.monotonic_ms
        for each in (self._watch, self._mute):
            if each is not None:
                each.tick(now_ms)
        if self._clock is not None:
            self._clock.tick(now)
        if self._cluster_keeper is not None:
            self._cluster_keeper.tick(now_ms, self._keeper.states)
        if self._spool_keeper is not None:
            self._spool_keeper.tick()

    def _keeper_of_cluster(self) -> "ClusterKeeper | None":
        if self._policy.cluster is None:
            return None
        from clearip_proxy.ksr.cluster_keeper import ClusterKeeper  # noqa: PLC0415 - as above

        now_ms = self._gateway.read.now().monotonic_ms
        return ClusterKeeper(self._ksr, self._policy, self._policy.cluster, self._numbers, now_ms)

    def _find_sites(self) -> None:
        if self._finder is None:
            from clearip_proxy.ksr.finder import SiteFinder  # noqa: PLC0415 - as above

            self._finder = SiteFinder(
                self._ksr, self._policy.clearip, self._gateway.read.now, numbers=self._numbers
            )
        self._finder.tick()
