"""How cost grows: with the rate, up to the highest that is held, and with the targets tried."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.calls import Calls, is_clean
from bench.cost import ATTEMPTS, RUN_S, Say
from bench.figures import percentile
from bench.lab import Lab, Sample, lab
from bench.places import number_after
from bench.proxies import Proxy, Running
from bench.usage import cpu_s

RATES = (50, 100, 200, 400, 600, 800, 1000, 1200, 1500, 1800, 2200, 2700, 3300, 4000, 4800)
STEP_S = 8
HELD_S = 60
"""A rate that nothing is wrong with for so long is held."""
SETTLED_S = 8
"""After that, what the first calls left behind has ended."""
REFUSALS = (1, 2, 3, 5, 8, 11)
"""Not 0: with a single contact native Kamailio finds no destination (`t_next_contacts`)."""
CONTACTS_RATE = 50
CONTACTS_CALLS = 400


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a curve."""

    at: float
    """Calls per second, or targets tried."""
    cpu_ms: float
    delay_median_ms: float


@dataclass(frozen=True, slots=True)
class Growth:
    """What calls cost at each rate."""

    points: tuple[Point, ...]
    idle_ms_per_s: float
    """Processor time of the proxy when there are no calls, which is left out of the points."""
    capacity: float
    """The highest rate that was held for a minute: no call failed, and nothing was sent twice."""


@dataclass(frozen=True, slots=True)
class Overload:
    """What is still served when far too many calls arrive."""

    offered: float
    """Calls per second."""
    served: float
    """Calls per second that succeeded."""


def growth(directory: Path, proxy: Proxy, rates: Sequence[int], say: Say) -> Growth:
    """Raise the rate until calls fail, or messages have to be sent again; then hold the highest."""
    points: list[Point] = []
    with lab(directory) as place, place.running(proxy) as running:
        idle = _idle_ms_per_s(running)
        for rate in rates:
            sample = _clean(place, running, Calls(rate * STEP_S, rate))
            if sample is None:
                break
            cpu_ms = sample.cpu_ms - idle / rate
            points.append(Point(rate, cpu_ms, percentile(sample.delays_ms, 50)))
            say(f"{proxy.name} at {rate} calls per second: {cpu_ms:.3f} ms for each")
        capacity = highest_held(points, partial(_is_held, place, say))
    return Growth(tuple(points), idle, capacity)


def highest_held(points: Sequence[Point], is_held: Callable[[float], bool]) -> float:
    """Return the highest rate of a curve that is held for longer as well; 0 for none."""
    return next((point.at for point in reversed(points) if is_held(point.at)), 0)


def _is_held(place: Lab, say: Say, rate: float) -> bool:
    calls = Calls(round(rate * HELD_S), rate)
    count = place.place(calls)
    say(
        f"{rate:g} calls per second for {HELD_S} s: {calls.count - count.succeeded} failed, "
        f"{count.retransmissions} sent twice"
    )
    return is_clean(calls, count)


def _idle_ms_per_s(running: Running) -> float:
    time.sleep(SETTLED_S)
    workers = running.workers()
    before = cpu_s(workers)
    time.sleep(STEP_S)
    return (cpu_s(workers) - before) * 1000 / STEP_S


def _clean(place: Lab, running: Running, calls: Calls) -> Sample | None:
    samples = (place.measured(running, calls) for _ in range(ATTEMPTS))
    return next((each for each in samples if each.is_clean), None)


def per_target(directory: Path, proxy: Proxy, say: Say) -> tuple[Point, ...]:
    """Let more and more targets refuse each call before one answers."""
    points: list[Point] = []
    with lab(directory) as place, place.running(proxy) as running:
        for refusals in REFUSALS:
            calls = Calls(CONTACTS_CALLS, CONTACTS_RATE, number_after(refusals))
            sample = place.measured(running, calls)
            points.append(Point(refusals + 1, sample.cpu_ms, percentile(sample.delays_ms, 50)))
            say(f"{proxy.name}, {refusals + 1} targets: {sample.cpu_ms:.3f} ms for each call")
    return tuple(points)


def overload(directory: Path, proxy: Proxy, rate: float, say: Say) -> Overload:
    """Place more calls than the proxy can carry, and count those that succeed."""
    calls = Calls(round(rate * RUN_S), rate)
    with lab(directory) as place, place.running(proxy) as running:
        sample = place.measured(running, calls)
    served = sample.count.succeeded / calls.lasts_s
    say(f"{proxy.name} at {rate:.0f} calls per second: {served:.0f} of them served")
    return Overload(rate, served)
