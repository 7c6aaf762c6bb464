"""Shows the proxy at work: `python -m inline_proxy.lab.demo [--keep]`."""

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click

from inline_proxy.lab.answers import named
from inline_proxy.lab.children import LabError
from inline_proxy.lab.expectations import Expected, faults, open_requests
from inline_proxy.lab.invitation import invitation
from inline_proxy.lab.ladder import draw
from inline_proxy.lab.performance import FAILED, columns, ended_by_signals, perform, settled
from inline_proxy.lab.screen import Screen
from inline_proxy.lab.stage import Stage, stage


@dataclass(frozen=True, slots=True)
class DemoCall:
    """One call of the demo: which number, how it must go, and what to say about it."""

    answer: str
    headline: str
    sentence: str
    expected: Expected
    columns: tuple[str, ...] = ()


CALLS: Final = (
    DemoCall(
        "two-routes",
        "Signed, and answered at the first target",
        "ClearIP signed the call and named two targets; carrier A answered, so carrier B was "
        "never asked.",
        Expected(200, ("carrier A",)),
        ("carrier A", "carrier B"),
    ),
    DemoCall(
        "second-answers",
        "The first target fails, the second answers",
        "Carrier C had no circuit free; carrier B got the same signed call and answered.",
        Expected(200, ("carrier C", "carrier B")),
        ("carrier C", "carrier B"),
    ),
    DemoCall(
        "blocked",
        "Blocked by ClearIP",
        "ClearIP declined the call, the switch was told so, and no carrier heard of it.",
        Expected(603, ()),
        ("carrier A",),
    ),
    DemoCall(
        "no-route-404",
        "Nothing against the call, and no route for it",
        "ClearIP had nothing to add; its 404 went back to the switch, which takes its own next "
        "route.",
        Expected(404, ()),
        ("carrier A",),
    ),
)


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running until Ctrl-C.")
def main(*, keep: bool) -> None:
    """Place calls through the proxy in a lab of its own and show each as a SIP ladder."""
    screen = Screen.of_this_process()
    with ended_by_signals():
        sys.exit(perform(screen, "demo", partial(_demo, screen, keep=keep), keep=keep))


def _demo(screen: Screen, directory: Path, *, keep: bool) -> int:
    """Run the lab; give the exit code."""
    screen.progress("Starting ClearIP's stand-in, the carriers and the proxy")
    with stage(directory, everywhere=keep) as running:
        failed = [call for place, call in enumerate(CALLS, 1) if not _show(screen, running, place)]
        if failed:
            screen.line(f"{len(failed)} of {len(CALLS)} calls did not go as they must.", bold=True)
            return FAILED
        screen.line(
            f"{len(CALLS)} of {len(CALLS)} calls went as they must: ClearIP asked once for each, "
            "its Identity on every attempt, no redirect seen by the switch.",
            bold=True,
            colour="green",
        )
        if keep:
            screen.line()
            for line in invitation(running.ports, directory):
                screen.line(line)
            ended = running.children.wait_until_one_ends()
            raise LabError(f"{ended.name} has ended, and the lab with it.")
    return 0


def _show(screen: Screen, running: Stage, place: int) -> bool:
    """Place one call and show it; whether it went as it must."""
    call = CALLS[place - 1]
    number = named(call.answer).number
    screen.progress(f"Calling {number}")
    by_switch = running.place_call(f"switch-{place}", number, call.expected.status)
    passages = settled(running, by_switch)
    screen.line(f"{place}. {call.headline} ({number})", bold=True)
    screen.line()
    screen.ladder(draw(passages, columns(call.columns, passages)))
    screen.line()
    wrong = [
        *faults(passages, call.expected),
        *(f"Never ended: {each.message.start_line}" for each in open_requests(passages)),
    ]
    for sentence in wrong:
        screen.paragraph(sentence, colour="red")
    if not wrong:
        screen.paragraph(call.sentence)
    screen.line()
    return not wrong


if __name__ == "__main__":
    main()
