"""How many calls there were in each of the last seconds, and how they ended."""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Final

from inline_proxy.observation.tally import Tally

SECONDS: Final = 300


class Rates:
    """Differences of the tally, second by second."""

    def __init__(self, tally: Tally, seconds: int = SECONDS) -> None:
        self._tally = tally
        self._samples: deque[dict[str, Any]] = deque(maxlen=seconds)
        self._calls = _by_first(tally.calls)
        self._codes = _by_first(tally.final_codes)

    def sample(self, at_s: int) -> None:
        """Take down what was counted since the last time; once a second, `at_s` since 1970."""
        calls, codes = _by_first(self._tally.calls), _by_first(self._tally.final_codes)
        self._samples.append(
            {"at": at_s, "calls": dict(calls - self._calls), "codes": dict(codes - self._codes)}
        )
        self._calls, self._codes = calls, codes

    def samples(self) -> list[dict[str, Any]]:
        """Return them, the oldest first: `calls` by disposition, `codes` by final code."""
        return list(self._samples)


def _by_first(counts: Mapping[tuple[str, ...], int]) -> Counter[str]:
    added: Counter[str] = Counter()
    for (first, *_), number in counts.items():
        added[first] += number
    return added
