"""What a call costs, and how long it is under way: the proxies in turn, at one rate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.calls import Calls
from bench.figures import Spread, percentile
from bench.lab import Lab, Sample, lab
from bench.proxies import Proxy

RUN_S = 10
ATTEMPTS = 3
"""Runs of one kind, at most, until no call fails."""

Say = Callable[[str], None]


class NotClean(RuntimeError):
    """Calls failed, so that what they cost says nothing; the text names the run."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one proxy's calls cost, and how long they were under way, over several runs."""

    cpu_ms: Spread
    delay_median_ms: Spread
    delay_99_ms: Spread


def cost(
    directory: Path, proxies: Sequence[Proxy], rounds: int, rate: int, say: Say
) -> dict[str, Cost]:
    """Let the proxies take turns; a run counts only when no call failed.

    Raises `NotClean` when that does not come to pass.
    """
    samples: dict[str, list[Sample]] = {proxy.name: [] for proxy in proxies}
    calls = Calls(rate * RUN_S, rate)
    with lab(directory) as place:
        for number in range(1, rounds + 1):
            for proxy in proxies:
                sample = _without_failure(place, proxy, calls)
                samples[proxy.name].append(sample)
                say(f"round {number}, {proxy.name}: {sample.cpu_ms:.3f} ms for each call")
    return {name: _cost(runs) for name, runs in samples.items()}


def _without_failure(place: Lab, proxy: Proxy, calls: Calls) -> Sample:
    for _ in range(ATTEMPTS):
        with place.running(proxy) as running:
            sample = place.measured(running, calls)
        if sample.count.succeeded == calls.count:
            return sample
    raise NotClean(f"{proxy.name}: calls failed at {calls.rate:.0f} a second, {ATTEMPTS} times")


def _cost(samples: Sequence[Sample]) -> Cost:
    return Cost(
        Spread(tuple(each.cpu_ms for each in samples)),
        Spread(tuple(percentile(each.delays_ms, 50) for each in samples)),
        Spread(tuple(percentile(each.delays_ms, 99) for each in samples)),
    )
