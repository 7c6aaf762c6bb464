"""Figures of several runs: what lies in the middle, and what at the edges."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Runs of the same kind."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """What lies in the middle."""
        return statistics.median(self.runs)

    def __str__(self) -> str:
        return f"{min(self.runs):.3f} / {self.median:.3f} / {max(self.runs):.3f}"


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the value below which so many per cent lie, of values in order."""
    if not ordered:
        raise ValueError("no values")
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
