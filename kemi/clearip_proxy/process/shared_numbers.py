"""Numbers that all of Kamailio's processes have in common, at the cost of a look into memory."""

import mmap

BYTES = 8


class SharedNumbers:
    """Made before Kamailio forks; every process that it forks then sees the same numbers.

    Nothing is locked: two processes that add at the same moment may lose one, so what is counted
    here is good for an estimate alone.
    """

    def __init__(self, ceiling_cps: int | None = None) -> None:
        self._numbers = memoryview(mmap.mmap(-1, 2 * BYTES)).cast("Q")
        self.ceiling_cps = ceiling_cps or 0

    @property
    def ceiling_cps(self) -> int:
        """Calls per second that are taken; 0: all."""
        return self._numbers[0]

    @ceiling_cps.setter
    def ceiling_cps(self, cps: int) -> None:
        self._numbers[0] = cps

    @property
    def calls_begun(self) -> int:
        """Calls that were taken since the start."""
        return self._numbers[1]

    def count_call(self) -> None:
        """Count a call that is taken."""
        self._numbers[1] += 1
