"""Numbers that all of Kamailio's processes have in common, at the cost of a look into memory."""

import mmap

BYTES = 8
CEILING_CPS, CALLS_BEGUN, SITE_CHANGES = range(3)
"""Where each number stands; the last moves on whenever something about the sites has changed."""


class SharedNumbers:
    """Made before Kamailio forks; every process that it forks then sees the same numbers.

    Nothing is locked: two processes that add at the same moment may lose one, so what is counted
    here is good for an estimate alone.
    """

    def __init__(self, ceiling_cps: int | None = None) -> None:
        self.cells = self._numbers = memoryview(mmap.mmap(-1, 3 * BYTES)).cast("Q")
        """The same numbers by their places, for who looks at them in every call."""
        self.ceiling_cps = ceiling_cps or 0

    @property
    def ceiling_cps(self) -> int:
        """Calls per second that are taken; 0: all."""
        return self._numbers[CEILING_CPS]

    @ceiling_cps.setter
    def ceiling_cps(self, cps: int) -> None:
        self._numbers[CEILING_CPS] = cps

    @property
    def calls_begun(self) -> int:
        """Calls that were taken since the start."""
        return self._numbers[CALLS_BEGUN]

    def count_call(self) -> None:
        """Count a call that is taken."""
        self._numbers[CALLS_BEGUN] += 1

    @property
    def site_changes(self) -> int:
        """How often something about the sites has changed."""
        return self._numbers[SITE_CHANGES]

    def note_site_change(self) -> None:
        """Have every process look at the sites anew; what has changed is written by now."""
        self._numbers[SITE_CHANGES] += 1
