"""What calls in progress occupy, and the time that a start takes."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.calls import Calls, start_caller
from bench.figures import Spread
from bench.lab import lab
from bench.proxies import Proxy, Running
from bench.usage import Usage, usage
from sipp.load.lab import Count
from sipp.waiting import wait_until

RATE = 400
WARM_UP = Calls(20, 20, scenario="caller-gives-up", ring_ms=100)
ALL_ENDED_S = 60


@dataclass(frozen=True, slots=True)
class Ringing:
    """What calls in progress occupy."""

    calls: int
    shared_bytes_per_call: float
    private_bytes_per_call: float
    left_bytes: int
    """Shared memory that is still in use when all of them have ended."""
    count: Count


def ringing(directory: Path, proxy: Proxy, calls: int) -> Ringing:
    """Let so many calls ring at once; then all callers give up."""
    ring_ms = round((calls / RATE + 5) * 1000)
    placed = Calls(calls, RATE, scenario="caller-gives-up", ring_ms=ring_ms)
    with lab(directory, rings=True) as place, place.running(proxy, WARM_UP) as running:
        wait_until(partial(_held, running, 0), "nothing is left of the first calls")
        before = _usage(running)
        caller = start_caller(place.children, place.directory, placed)
        patience_s = placed.lasts_s + ALL_ENDED_S
        wait_until(partial(_held, running, calls), f"{calls} calls ring", patience_s=patience_s)
        during = _usage(running)
        caller.process.wait(ring_ms / 1000 + patience_s)
        wait_until(partial(_held, running, 0), "all have ended", patience_s=ALL_ENDED_S)
        return Ringing(
            calls,
            (during.shared_bytes - before.shared_bytes) / calls,
            (during.private_bytes - before.private_bytes) / calls,
            _usage(running).shared_bytes - before.shared_bytes,
            Count.read(place.directory / "caller.csv"),
        )


def _usage(running: Running) -> Usage:
    return usage(running.workers(), running.ask("core.shmmem"))


def _held(running: Running, transactions: int) -> bool:
    held = int(running.ask("tm.stats")["current"])
    return held >= transactions if transactions else held == 0


def start(directory: Path, proxy: Proxy, rounds: int) -> Spread:
    """Measure from the command to the answer of a first call, in seconds."""
    lasted = []
    with lab(directory) as place:
        for _ in range(rounds):
            begun = time.monotonic()
            with place.running(proxy, Calls(1, 1)):
                lasted.append(time.monotonic() - begun)
    return Spread(tuple(lasted))
