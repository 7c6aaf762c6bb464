"""What records and metrics cost: two proxies that run at once, one without, called in turn.

Both are measured on the same machine in the same minute, in short turns: who else is at work there,
and how warm the processor is, changes both alike. The quotient of a turn is what counts.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.calls import Calls
from bench.cost import NotClean, Say
from bench.figures import Spread
from bench.lab import lab
from bench.places import HOST
from bench.proxies import Running, of_this_checkout, ours
from bench.usage import cpu_s

TURN_S = 3
SETTLED_S = 1.2
"""After a turn, until the observer has taken in what was told."""
WITH, WITHOUT = "with records", "without"
PORTS = {WITH: (5270, 8181), WITHOUT: (5280, 8182)}
"""Of SIP over UDP and TCP, the next one for TLS; and of the metrics."""
OFF: Mapping[str, Any] = {"records": {"enabled": False}, "admin": {"listen": None}}


@dataclass(frozen=True, slots=True)
class RecordsCost:
    """What a call takes, in µs, and the quotients of all turns."""

    kamailio_us: Mapping[str, Spread]
    observer_us: Mapping[str, Spread]
    quotients: Spread
    """Of all processes with records to all without."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The processes of one proxy."""

    kamailio: Sequence[psutil.Process]
    observer: Sequence[psutil.Process]
    """And the command that watches Kamailio."""

    def spent_us(self) -> tuple[float, float]:
        return cpu_s(self.kamailio) * 1e6, cpu_s(self.observer) * 1e6


def records_cost(directory: Path, turns: int, rate: int, say: Say) -> RecordsCost:
    """Let both take turns; raises `NotClean` when calls fail."""
    found: dict[str, list[tuple[float, float]]] = {WITH: [], WITHOUT: []}
    with lab(directory) as place, ExitStack() as stack:
        parts = {}
        for name, (port, admin) in PORTS.items():
            changes: dict[str, Any] = {
                "listen": {"addresses": [HOST], "udp": port, "tcp": port, "tls": port + 1},
                "admin": {"listen": f"{HOST}:{admin}"},
            } | dict(OFF if name == WITHOUT else {})
            proxy = ours(of_this_checkout(), changes, name.replace(" ", "-"))
            parts[name] = _parts(stack.enter_context(place.started(proxy)))
            place.place(Calls(count=600, rate=200, proxy_port=port))
        for turn in range(turns):
            for name in (WITH, WITHOUT) if turn % 2 else (WITHOUT, WITH):
                calls = Calls(rate * TURN_S, rate, proxy_port=PORTS[name][0])
                before = parts[name].spent_us()
                if place.place(calls).succeeded != calls.count:
                    raise NotClean(f"{name}: calls failed at {rate} a second")
                time.sleep(SETTLED_S)
                kamailio, observer = (
                    (after - earlier) / calls.count
                    for after, earlier in zip(parts[name].spent_us(), before, strict=True)
                )
                found[name].append((kamailio, observer))
                say(f"turn {turn + 1}, {name}: {kamailio:.0f} + {observer:.0f} µs for each call")
    sums = {name: [sum(each) for each in turns_of] for name, turns_of in found.items()}
    return RecordsCost(
        {name: Spread(tuple(each[0] for each in rows)) for name, rows in found.items()},
        {name: Spread(tuple(each[1] for each in rows)) for name, rows in found.items()},
        Spread(tuple(a / b for a, b in zip(sums[WITH], sums[WITHOUT], strict=True))),
    )


def _parts(running: Running) -> _Parts:
    workers = running.workers()
    known = {worker.pid for worker in workers}
    others = [each for each in running.processes() if each.pid not in known]
    return _Parts(workers, others)
