"""Which of many like lines the log gets, so that nobody who may send can flood it."""

import time
from collections import Counter
from collections.abc import Callable

PLENTY = 10
"""Lines of one source in one second, in each process, that are all told."""
EACH = 100
"""Of those above, one in so many."""


class Sparing:
    """Counts by source and second."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._second = 0
        self._lines: Counter[str] = Counter()

    def told(self, source: str, line: str) -> str | None:
        """Return the line, with its number where others were left out; None for one of those."""
        second = int(self._clock_s())
        if second != self._second:
            self._second = second
            self._lines.clear()
        self._lines[source] += 1
        count = self._lines[source]
        if count <= PLENTY:
            return line
        return f"{line} (line {count} of {source} in this second)" if count % EACH == 0 else None
