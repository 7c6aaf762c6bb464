"""Looking after the spool of events, in the timer's process, which no call waits for."""

from collections.abc import Callable
from contextlib import suppress

from clearip_proxy.records.call_event import Instant, Kind, event_line, this_instant
from clearip_proxy.records.event_spool import MAX_BYTES, EventSpool, drop_oldest

BOUND_INTERVAL_US = 10_000_000
"""Between two looks through the directory on the disk, which take time."""


class SpoolKeeper:
    """Says that Kamailio has started, and keeps a spool that nobody reads within its bound."""

    def __init__(
        self,
        spool: EventSpool,
        started: Instant,
        clock: Callable[[], Instant] = this_instant,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._started: Instant | None = started
        self._clock = clock
        self._max_bytes = max_bytes
        self._spool = spool
        self._bound_at_us = 0

    def tick(self) -> None:
        """Do what is due; a disk that does not take it is tried again at the next tick."""
        with suppress(OSError):
            if self._started is not None:
                self._tell(self._started, Kind.STARTED)
                self._started = None
            self._bound()

    def _bound(self) -> None:
        now = self._clock()
        if 0 <= now.at_us - self._bound_at_us < BOUND_INTERVAL_US:
            return
        dropped = drop_oldest(self._spool.directory, self._max_bytes)
        if dropped.files:
            self._tell(now, Kind.DROPPED, dropped.files, dropped.size_bytes)
        self._bound_at_us = now.at_us

    def _tell(self, instant: Instant, kind: Kind, *values: int) -> None:
        line = event_line("", instant, [(kind, instant.clock_us, *values)])
        self._spool.write(line, instant.clock_us)
