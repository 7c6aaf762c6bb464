"""What follows when the machine's clock is set (docs/adr/0046).

The proxy's own waiting goes by the monotonic clock. Kamailio's does not: a step forwards moves all
of its timers on by as much, within five seconds; after a step backwards its tables keep for so
much longer what they were to forget.
"""

from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.moment import Moment

STEP_S = 3
"""Smaller ones are not told from the seconds' own steps, and mend themselves as quickly."""
LEARNT = ("addresses", "tcp_taken", "tcp_refused", "unreachable", "probes")
"""Tables of what is learnt again by itself, and wrong when it is kept for too long."""


class ClockWatch:
    """Compares both clocks; run by the timer's process."""

    def __init__(self, ksr: KsrPort) -> None:
        self._htable = ksr.htable
        self._log = KsrLog(ksr)
        self._ahead_s: float | None = None
        """How much the time of day was ahead of the monotonic clock."""

    def tick(self, now: Moment) -> None:
        """Look once."""
        ahead_s = now.unix_s - now.monotonic_ms / 1000
        stepped_s = 0.0 if self._ahead_s is None else ahead_s - self._ahead_s
        self._ahead_s = ahead_s
        if stepped_s >= STEP_S:
            self._log.fault_of_no_call(
                f"the clock was set forward by {stepped_s:.0f} s: Kamailio's timers follow it, so "
                "calls that are being set up may end as if nobody had answered"
            )
        elif stepped_s <= -STEP_S:
            for table in LEARNT:
                self._htable.sht_reset(table)
            self._log.note_of_no_call(
                f"the clock was set back by {-stepped_s:.0f} s: what was learnt of targets is "
                "forgotten"
            )
