"""The callbacks that Kamailio looks up by name: each joins values to a decision, and no more."""

from clearip_proxy.answering import after_clearip
from clearip_proxy.guard import guarded
from clearip_proxy.ksr_gateway import KsrGateway
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.routing import on_request
from clearip_proxy.search import after_target, awaited_branch


class Callbacks:
    """The callbacks that Kamailio looks up by name, in every worker process."""

    def __init__(self, gateway: KsrGateway, policy: RoutingPolicy) -> None:
        self._gateway = gateway
        self._policy = policy

    def child_init(self, _rank: int) -> int:
        """Begin a worker process; nothing to do."""
        return 0

    def ksr_request_route(self, _msg: object) -> int:
        """Take a request."""
        return guarded(self._on_request, self._gateway.fail)

    def ksr_failure_clearip(self, _msg: object) -> int:
        """Take the end of a query to ClearIP that was not a 2xx."""
        return guarded(self._after_clearip, self._gateway.fail)

    def ksr_failure_target(self, _msg: object) -> int:
        """Take the end of a branch to a target that was not a 2xx."""
        return guarded(self._after_target, self._gateway.fail)

    def ksr_branch_clearip(self, _msg: object) -> int:
        """Complete a query to ClearIP just before it is sent."""
        return guarded(self._gateway.prepare_clearip_branch, self._gateway.fail)

    def ksr_branch_target(self, _msg: object) -> int:
        """Complete a branch to a target just before it is sent."""
        return guarded(self._gateway.targets.prepare_branch, self._gateway.fail)

    def ksr_look_up(self, _msg: object, _event: str = "") -> int:
        """Go on, in an asynchronous worker, with a call that needs a look-up."""
        return guarded(self._after_look_up, self._gateway.fail)

    def ksr_keep_alive(self, _msg: object, _event: str = "") -> int:
        """Run by a timer, every `clearip.keepalive_s` seconds."""
        return guarded(self._gateway.keep_alive, self._gateway.report)

    def _on_request(self) -> None:
        gateway = self._gateway
        gateway.begin(on_request(gateway.read.request(), self._policy))

    def _after_clearip(self) -> None:
        gateway = self._gateway
        gateway.carry_out(
            after_clearip(
                gateway.read.branch_outcome(),
                gateway.read.pending(),
                gateway.read.context(),
                self._policy,
            )
        )

    def _after_target(self) -> None:
        gateway = self._gateway
        gateway.carry_out(
            after_target(
                gateway.read.branch_outcome(),
                gateway.read.context(),
                self._policy,
                gateway.read.now(),
            )
        )

    def _after_look_up(self) -> None:
        gateway = self._gateway
        context, now = gateway.read.context(), gateway.read.now()
        gateway.carry_out(awaited_branch(context, self._policy.search, now), may_wait=True)
