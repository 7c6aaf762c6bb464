"""How many nodes and connections a rate of calls needs, by what a call was measured to cost.

    python3 -m inline_proxy.scaling                 1,000, 10,000 and 100,000 calls/s
    python3 -m inline_proxy.scaling --rate 2500 --cores 8 --processor-ms 0.8

Give figures of your own: `scripts/bench` measures them. docs/scaling.md says what each one means.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

import click

RATES: Final = (1_000, 10_000, 100_000)
SECONDS_PER_DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What a call costs, and what one node has."""

    cores: int = 2
    processor_ms: float = 0.92
    """Processor time of a call on all cores together."""
    reader_ms: float = 0.36
    """Processor time of a call in the one process that reads its connection to ClearIP."""
    udp_ms: float = 0.57
    """Processor time of a call in the processes that read UDP: one less than there are cores."""
    connections: int = 2
    """Verified connections to ClearIP, each read by one process: addresses of its sites."""
    use: float = 0.5
    """How much of a processor is planned for; the rest is for bursts."""
    shared_memory_mb: int = 512
    call_kb: float = 27.0
    """Shared memory of a call that is being set up."""
    setup_s: float = 10.0
    """How long a call is being set up and remembered: ringing, and some seconds."""
    record_bytes: int = 1_000
    sharing_ms: float = 1.4
    """Processor time in a second, for each other node that is told and heard."""
    spare: int = 1
    """Nodes that may be gone at one time."""


MEASURED: Final = Node()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rate needs."""

    rate: int
    ceilings: Mapping[str, float]
    """Calls per second that one node carries, by what ends first."""
    nodes: int
    connections: int
    """To ClearIP, of all nodes."""
    records_per_second: int
    gigabytes_per_day: float

    @property
    def first_ceiling(self) -> str:
        """What ends first."""
        return min(self.ceilings, key=lambda name: self.ceilings[name])


class TooMany(ValueError):
    """One group cannot carry a rate; the text says why."""


def ceilings(node: Node, nodes: int = 1) -> dict[str, float]:
    """Return the calls per second that each part of one of so many nodes carries."""
    per_second = 1000 * node.use
    sharing_ms = (nodes - 1) * node.sharing_ms
    return {
        "processors": max(0.0, node.cores * per_second - sharing_ms) / node.processor_ms,
        "readers of ClearIP's connections": min(node.connections, node.cores)
        * per_second
        / node.reader_ms,
        "readers of UDP": max(1, node.cores - 1) * per_second / node.udp_ms,
        "shared memory": node.shared_memory_mb * 1024 / node.call_kb / node.setup_s,
    }


def plan(rate: int, node: Node = MEASURED) -> Plan:
    """Return what a rate of calls per second needs."""
    nodes = _nodes(rate, node)
    most = ceilings(node, nodes)
    return Plan(
        rate=rate,
        ceilings=most,
        nodes=nodes,
        connections=nodes * node.connections,
        records_per_second=rate,
        gigabytes_per_day=rate * node.record_bytes * SECONDS_PER_DAY / 1e9,
    )


def _nodes(rate: int, node: Node) -> int:
    """Return how many nodes it takes: the more there are, the more they have to tell each other.

    Raises `TooMany` where no number is enough.
    """
    nodes = 1
    while (most := min(ceilings(node, nodes).values())) > 0:
        wanted = math.ceil(rate / most) + node.spare
        if wanted <= nodes:
            return nodes
        nodes = wanted
    raise TooMany(
        f"{rate:,} calls per second: {nodes:,} nodes would do nothing but tell each other"
    )


def table(plans: Iterable[Plan]) -> str:
    """Print plans, one per line."""
    titles = ("calls/s", "nodes", "connections", "records GB/day", "first ceiling")
    lines = ["{:>9} {:>6} {:>12} {:>15}  {}".format(*titles)]
    lines += [
        f"{each.rate:>9,} {each.nodes:>6} {each.connections:>12} {each.gigabytes_per_day:>15,.0f}  "
        f"{each.first_ceiling} ({each.ceilings[each.first_ceiling]:,.0f} a node)"
        for each in plans
    ]
    return "\n".join(lines)


def _with_every_figure(command: Callable[..., None]) -> Callable[..., None]:
    for each in reversed(fields(Node)):
        value = getattr(MEASURED, each.name)
        option = f"--{each.name.replace('_', '-')}"
        command = click.option(option, type=type(value), default=value, show_default=True)(command)
    return command


@click.command()
@click.option("--rate", "rates", type=int, multiple=True, help="Calls per second; again for more.")
@_with_every_figure
def main(rates: tuple[int, ...], **figures: float) -> None:
    """Print how many nodes rates of calls need."""
    node = replace(MEASURED, **figures)  # type: ignore[arg-type] # click has given them their types
    try:
        click.echo(table(plan(rate, node) for rate in rates or RATES))
    except TooMany as many:
        raise click.ClickException(f"{many}; make several groups, or give larger nodes") from many


if __name__ == "__main__":
    main()
