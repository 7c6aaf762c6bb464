"""Finding the way to a target, in an asynchronous worker and without the call (ADR 6)."""

from clearip_proxy.ksr.branches import ON_LOOKED_UP
from clearip_proxy.ksr.knowledge import THE_WORLD, Asked, MustAskError, Outside
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import KsrReader
from clearip_proxy.ksr.suspension import KsrSuspension
from clearip_proxy.location.target_way import Wanted, find_way
from clearip_proxy.policy import RoutingPolicy


class LookUps:
    """Carries out what `TargetLeg` has put off."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: RoutingPolicy,
        read: KsrReader,
        outside: Outside = THE_WORLD,
    ) -> None:
        self._policy = policy
        self._read = read
        self._outside = outside
        self._memory = KsrMemory(ksr)
        self._suspension = KsrSuspension(ksr)

    def run(self) -> None:
        """Ask what has to be asked, keep it in memory, and hand the call back in any case."""
        call, (wanted, deadline_ms) = self._suspension.task()

        def time_left_s() -> float:
            return float(deadline_ms - self._read.now().monotonic_ms) / 1000

        try:
            find_way(Wanted(*wanted), Asked(self._memory, self._outside, time_left_s), self._policy)
        except MustAskError:
            pass  # the call goes on without
        finally:
            self._suspension.resume(call, ON_LOOKED_UP)
