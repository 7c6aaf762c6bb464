"""`scripts/bench`: measures, prints a table, and leaves JSON and pictures."""

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from bench.cost import NotClean, Say, cost
from bench.growth import RATES, Growth, Overload, growth, overload, per_target
from bench.nodes import NODE_RATE, nodes
from bench.picture import picture
from bench.proxies import Proxy, native, of_this_checkout, ours
from bench.records import records_cost
from bench.ringing import Ringing, ringing, start
from bench.soak import soak
from bench.table import cost_table
from inline_proxy.lab.children import LabError
from sipp.load.lab import precedence

OURS = "ours"
MEASUREMENTS = ("start", "cost", "records", "targets", "growth", "ringing", "nodes")
LONG = "soak"


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for, and where it goes."""

    output: Path
    scratch: Path
    proxies: tuple[Proxy, ...]
    rounds: int
    rate: int
    ringing: int
    minutes: int

    def place(self, name: str) -> Path:
        """Return a directory of its own for one lab; the lab makes it."""
        return self.scratch / f"{len(list(self.scratch.iterdir()))}-{name}"


@click.command()
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--scratch", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--rounds", default=5, show_default=True, help="Turns of each proxy for the cost.")
@click.option("--rate", default=500, show_default=True, help="Calls per second for the cost.")
@click.option("--ringing", default=20_000, show_default=True, help="Calls that ring at once.")
@click.option("--minutes", default=20, show_default=True, help="How long the soak lasts.")
@click.option("--long", "is_long", is_flag=True, help="The soak besides everything else.")
@click.option("--without-records", is_flag=True, help="A proxy that keeps none, as well.")
@click.option("--only", multiple=True, type=click.Choice((*MEASUREMENTS, LONG)), help="Just this.")
@click.option(
    "--beside",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Another checkout of the project, to be measured as well.",
)
def main(
    output: Path, scratch: Path, only: tuple[str, ...], beside: tuple[Path, ...], **options: int
) -> None:
    """Measure the proxy beside native Kamailio, in turn, in one network namespace."""
    others = [ours(checkout, name=checkout.resolve().name) for checkout in beside]
    if options.pop("without_records"):
        others.append(ours(of_this_checkout(), {"records": {"enabled": False}}, "no records"))
    proxies = (native(), ours(of_this_checkout(), name=OURS), *others)
    long = (LONG,) if options.pop("is_long") else ()
    names = only or (*MEASUREMENTS, *long)
    plan = Plan(output, scratch, proxies, **options)
    found: dict[str, Any] = {}
    with precedence():
        for name in names:
            click.echo(f"\n{name}")
            try:
                found[name] = MEASURE[name](plan, partial(click.echo, err=True))
            except (NotClean, LabError, TimeoutError) as fault:
                raise click.ClickException(f"{name}: {fault}") from fault
            (output / "figures.json").write_text(as_json(found))
    click.echo(f"\nfigures and pictures: {output}")


def as_json(found: object) -> str:
    """Write figures so that a program can read them."""
    return json.dumps(found, default=dataclasses.asdict, indent=1) + "\n"


def _start(plan: Plan, _say: Say) -> dict[str, Any]:
    found = {each.name: start(plan.place("start"), each, plan.rounds) for each in plan.proxies}
    for name, spread in found.items():
        click.echo(f"  {name}: from the command to the end of a first call {spread} s")
    return found


def _cost(plan: Plan, say: Say) -> dict[str, Any]:
    found = cost(plan.place("cost"), plan.proxies, plan.rounds, plan.rate, say)
    click.echo("\n".join(cost_table(found)))
    return found


def _records(plan: Plan, say: Say) -> dict[str, Any]:
    found = records_cost(plan.place("records"), 2 * plan.rounds, plan.rate, say)
    for name in found.kamailio_us:
        kamailio, observer = found.kamailio_us[name], found.observer_us[name]
        click.echo(
            f"  {name}: Kamailio {kamailio.median:.0f} µs, observer {observer.median:.0f} µs"
        )
    more = 100 * (found.quotients.median - 1)
    click.echo(f"  records and metrics cost {more:.1f} % of a call without ({found.quotients})")
    return {OURS: found}


def _targets(plan: Plan, say: Say) -> dict[str, Any]:
    found = {each.name: per_target(plan.place("targets"), each, say) for each in plan.proxies}
    image = picture("Cost of a call by the targets it tries", "targets tried", found)
    (plan.output / "targets.svg").write_text(image)
    for name, points in found.items():
        each_one = (points[-1].cpu_ms - points[0].cpu_ms) / (points[-1].at - points[0].at)
        click.echo(f"  {name}: {each_one:.3f} ms for each further target")
    return found


def _growth(plan: Plan, say: Say) -> dict[str, Any]:
    found: dict[str, Growth] = {
        each.name: growth(plan.place("growth"), each, RATES, say) for each in plan.proxies
    }
    curves = {name: grown.points for name, grown in found.items()}
    image = picture("Cost of a call by the rate of calls", "calls per second", curves)
    (plan.output / "growth.svg").write_text(image)
    overloads: dict[str, Overload] = {}
    for each in plan.proxies:
        if not found[each.name].capacity:
            raise NotClean(f"{each.name} holds not even {RATES[0]} calls per second for a minute")
        offered = 2 * found[each.name].capacity
        overloads[each.name] = overload(plan.place("overload"), each, offered, say)
        click.echo(
            f"  {each.name}: holds {found[each.name].capacity:g} calls per second for a minute; of "
            f"{offered:g} it serves {overloads[each.name].served:.0f}; idle "
            f"{found[each.name].idle_ms_per_s:.1f} ms of processor in a second"
        )
    return {"growth": found, "overload": overloads}


def _ringing(plan: Plan, _say: Say) -> dict[str, Any]:
    found: dict[str, Ringing] = {}
    for each in plan.proxies:
        held = ringing(plan.place("ringing"), each, plan.ringing)
        found[each.name] = held
        click.echo(
            f"  {each.name}: {held.calls} calls ringing take {held.shared_bytes_per_call:.0f} "
            f"bytes of shared memory each; {held.count.failed} failed"
        )
    return found


def _nodes(plan: Plan, say: Say) -> dict[str, Any]:
    found = nodes(plan.place("nodes"), plan.rounds, NODE_RATE, say)
    click.echo(
        f"  one node: {found.one_ms} ms of its processor for each call at {found.rate} a second\n"
        f"  two that know nothing of each other: {found.apart_ms} ms, at that rate each\n"
        f"  two of a group: {found.group_ms} ms, at that rate each\n"
        f"  so with the same processor time for each node two carry {found.times:.2f} times the "
        f"calls of one, two that know nothing of each other {found.times_apart:.2f} times; sharing "
        f"alone leaves {found.times_of_sharing:.2f} times"
    )
    return dataclasses.asdict(found) | {
        "times": found.times,
        "times_apart": found.times_apart,
        "times_of_sharing": found.times_of_sharing,
    }


def _soak(plan: Plan, say: Say) -> dict[str, Any]:
    proxy = plan.proxies[1]
    left = soak(plan.place(LONG), proxy, plan.minutes, plan.rate, say)
    for name, count in left.counts.items():
        click.echo(f"  {name}: {count.succeeded} calls, {count.failed} failed")
    click.echo(
        f"  {proxy.name}: memory grew by {left.shared_growth:.2%} shared and "
        f"{left.private_growth:.2%} private; {left.left_transactions} transactions and "
        f"{left.left_descriptors} descriptors are left"
    )
    return {proxy.name: left}


MEASURE: dict[str, Callable[[Plan, Say], dict[str, Any]]] = {
    "start": _start,
    "cost": _cost,
    "records": _records,
    "targets": _targets,
    "growth": _growth,
    "ringing": _ringing,
    "nodes": _nodes,
    LONG: _soak,
}

if __name__ == "__main__":
    main()
