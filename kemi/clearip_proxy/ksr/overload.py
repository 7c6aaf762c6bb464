"""Refusing calls early when there are more than the proxy carries (docs/admission.md)."""

from collections.abc import Callable

from clearip_proxy.decisions import Reply
from clearip_proxy.ksr.calls import RATES
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.strangers import is_power_of_ten
from clearip_proxy.limits import refusal
from clearip_proxy.overload import SECOND_MS, Ceiling, Load, Second, is_taken, lower_of
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.process.socket_queue import UdpQueues

SHED = "calls_shed"
TOO_MANY_FOR_ALL = refusal("overloaded", 1)


class OverloadGate:
    """What each call passes. Without a ceiling it costs a look into memory."""

    def __init__(self, ksr: KsrPort, policy: RoutingPolicy, numbers: SharedNumbers) -> None:
        self._htable = ksr.htable
        self._memory = KsrMemory(ksr)
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._numbers = numbers

    @property
    def is_ajar(self) -> bool:
        """Whether there is a ceiling at all."""
        return self._numbers.ceiling_cps > 0

    def count(self) -> None:
        """Count a call that is taken."""
        self._numbers.count_call()

    def refusal(self, address: str, now_ms: int) -> Reply | None:
        """Return the answer to a call too many; None for one that is taken.

        Sources are told apart by their addresses: one entry of `trusted` may hold many switches.
        """
        ceiling_cps, second = self._numbers.ceiling_cps, now_ms // SECOND_MS
        attempt = self._htable.sht_inc(RATES, f"{second} of {address}")
        if attempt == 1:
            self._htable.sht_inc(RATES, f"{second} sources")
        self._htable.sht_inc(RATES, f"{second} attempts")
        taken = self._counted(f"{second} taken")
        if is_taken(attempt, taken, self._second(second - 1, address), ceiling_cps):
            self._htable.sht_inc(RATES, f"{second} taken")
            return None
        return self._shed(address, second, ceiling_cps)

    def _second(self, second: int, address: str) -> Second:
        keys = (f"{second} of {address}", f"{second} attempts", f"{second} sources")
        return Second(*map(self._counted, keys))

    def _counted(self, key: str) -> int:
        return int(self._htable.sht_get(RATES, key) or 0)

    def _shed(self, address: str, second: int, ceiling_cps: int) -> Reply:
        """Say so for the first, tenth, hundredth in a second: a flood does not fill the log."""
        self._memory.count(SHED)
        shed = self._htable.sht_inc(RATES, f"{second} shed")
        if is_power_of_ten(shed):
            self._log.note(
                f"refused: overloaded, {ceiling_cps} calls per second are taken "
                f"(from {address}, call {shed} in this second)"
            )
        return TOO_MANY_FOR_ALL


class OverloadWatch:
    """Looks how full the proxy is, in the timer's process, and sets the ceiling."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: RoutingPolicy,
        numbers: SharedNumbers,
        queued_bytes: Callable[[], int] | None = None,
    ) -> None:
        """`queued_bytes` tells what waits in the fullest UDP socket of this process."""
        self._ksr = ksr
        self._policy = policy.overload
        self._numbers = numbers
        ports = frozenset(int(each.rpartition(":")[2]) for each in policy.own)
        self._queued_bytes = queued_bytes or UdpQueues(ports).fullest_bytes
        self._log = KsrLog(ksr)
        self._ceiling = Ceiling()

    def tick(self, now_ms: int) -> None:
        """Look once."""
        before = self._ceiling.cps
        self._ceiling = self._ceiling.after(self._load(now_ms), self._policy.memory_percent)
        self._numbers.ceiling_cps = lower_of(self._ceiling.cps, self._policy.max_cps)
        if (before > 0) != (self._ceiling.cps > 0):
            self._tell()

    def _tell(self) -> None:
        if self._ceiling.cps:
            self._log.fault_of_no_call(
                f"overloaded: {self._ceiling.cps} new calls per second are taken, the others "
                "hear 503"
            )
        else:
            self._log.note_of_no_call("no longer overloaded: every new call is taken")

    def _load(self, now_ms: int) -> Load:
        queued_bytes = self._queued_bytes()
        total, free = self._statistic("total_size"), self._statistic("free_size")
        used_percent = 100 * (total - free) / total if total else 0.0
        return Load(now_ms, self._numbers.calls_begun, queued_bytes, used_percent)

    def _statistic(self, name: str) -> int:
        return int(self._ksr.pv.get(f"$stat({name})") or 0)
