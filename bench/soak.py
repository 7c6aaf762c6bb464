"""A long run of calls of all kinds, answered, refused, abandoned: what it leaves behind."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench.calls import LOAD, PATIENCE_S, Calls, start_caller, start_carrier
from bench.cost import Say
from bench.lab import lab
from bench.places import (
    ANSWERED_AT_ONCE,
    CALLER_PORT,
    REFUSED,
    RINGING_PORT,
    RINGS,
    number_after,
)
from bench.proxies import Proxy, Running
from bench.usage import Usage, usage
from sipp.load.lab import Count
from sipp.waiting import wait_until

LOOK_S = 15
SETTLED_SHARE = 0.1
"""After this share of the time, two minutes of twenty, memory may grow no more."""
RINGING_MS = 2_000
FORGOTTEN_S = 60


class _Kind(NamedTuple):
    """One part of the calls."""

    twentieths: int
    """How many of twenty."""
    name: str
    number: str
    scenario: str = "caller-brief"


@dataclass(frozen=True, slots=True)
class Soak:
    """What a long run leaves behind."""

    counts: dict[str, Count]
    """By what becomes of the calls."""
    shared_growth: float
    """Shared memory in use at the end of the load, against that after its first tenth."""
    private_growth: float
    left_transactions: int
    left_descriptors: int
    """Open at the end, and not before the first call."""


def soak(directory: Path, proxy: Proxy, minutes: float, rate: int, say: Say) -> Soak:
    """Place calls of every kind for so many minutes; `rate` is that of all of them together."""
    with lab(directory) as place, place.running(proxy) as running:
        start_carrier(place.children, place.directory, port=RINGING_PORT, rings=True)
        mix = _mix(minutes, rate, place.directory)
        before = _usage(running)
        callers = [start_caller(place.children, place.directory, each) for each in mix]
        looks = _watched(running, minutes * 60, say)
        for caller in callers:
            caller.process.wait(PATIENCE_S)
        wait_until(partial(_is_idle, running), "all have ended", patience_s=FORGOTTEN_S)
        first, last = looks[int(len(looks) * SETTLED_SHARE)], looks[-1]
        return Soak(
            {each.caller: Count.read(place.directory / f"{each.caller}.csv") for each in mix},
            last.shared_bytes / first.shared_bytes - 1,
            last.private_bytes / first.private_bytes - 1,
            int(running.ask("tm.stats")["current"]),
            _usage(running).descriptors - before.descriptors,
        )


def _mix(minutes: float, rate: int, directory: Path) -> tuple[Calls, ...]:
    """Of twenty calls twelve are answered, three after refusals, two given up, three refused."""
    kinds = (
        _Kind(12, "answered", ANSWERED_AT_ONCE),
        _Kind(3, "refused twice, then answered", number_after(2)),
        _Kind(2, "abandoned", RINGS, "caller-gives-up"),
        *(
            _Kind(1, f"refused by ClearIP with {status}", number, _refused_with(status, directory))
            for number, status in REFUSED.items()
        ),
    )
    return tuple(
        Calls(
            round(rate * kind.twentieths / 20 * minutes * 60),
            rate * kind.twentieths / 20,
            kind.number,
            scenario=kind.scenario,
            ring_ms=RINGING_MS,
            caller=kind.name,
            port=CALLER_PORT + 200 * place,
        )
        for place, kind in enumerate(kinds, start=1)
    )


def _refused_with(status: int, directory: Path) -> str:
    """Write the scenario of a call that is refused with a code; return what it is called by."""
    scenario = directory / f"caller-refused-{status}"
    text = (LOAD / "caller-refused.xml").read_text()
    scenario.with_suffix(".xml").write_text(text.replace('response="603"', f'response="{status}"'))
    return str(scenario)


def _watched(running: Running, seconds: float, say: Say) -> list[Usage]:
    """Look at the memory from time to time, until the load is over."""
    looks = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(LOOK_S, max(0.0, end - time.monotonic())))
        looks.append(_usage(running))
        say(f"{looks[-1].shared_bytes} bytes shared, {looks[-1].private_bytes} private")
    return looks


def _usage(running: Running) -> Usage:
    return usage(running.workers(), running.ask("core.shmmem"))


def _is_idle(running: Running) -> bool:
    return running.ask("tm.stats")["current"] == "0"
