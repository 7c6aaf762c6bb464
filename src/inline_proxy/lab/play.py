"""Plays ClearIP's answers by name: `python -m inline_proxy.lab.play [NAME]...`."""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import click

from inline_proxy.lab.answer import Action
from inline_proxy.lab.answers import PLAN, named
from inline_proxy.lab.expectations import Expected, faults_of_outcome, open_requests
from inline_proxy.lab.ladder import draw
from inline_proxy.lab.numbered import Numbered
from inline_proxy.lab.outcomes import OUTCOMES
from inline_proxy.lab.passage import Passage
from inline_proxy.lab.performance import FAILED, columns, ended_by_signals, perform, settled
from inline_proxy.lab.screen import Screen
from inline_proxy.lab.stage import Stage, stage

EVERYTHING: Final = "all"
ANSWER_TIMEOUT_MS: Final = 4_000
"""How long a carrier may ring here; nobody wants to watch for a minute."""


def _known(_context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> object:
    """Refuse a name that is not in the plan."""
    if unknown := set(names) - OUTCOMES.keys() - {EVERYTHING}:
        raise click.BadParameter(f"no answer has the name {', '.join(sorted(unknown))}")
    return names


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", callback=_known)
def main(names: tuple[str, ...]) -> None:
    """Play answers of ClearIP through the proxy, each drawn as a SIP ladder.

    Without a name the answers are listed; `all` plays every one.
    """
    screen = Screen.of_this_process()
    if not names:
        for line in listing():
            screen.line(line)
        return
    entries = PLAN if EVERYTHING in names else tuple(map(named, names))
    with ended_by_signals():
        sys.exit(perform(screen, "play", partial(_play, screen, entries)))


def listing() -> Iterator[str]:
    """Yield a line for each answer: its name and what happens."""
    width = max(len(entry.name) for entry in PLAN)
    for entry in PLAN:
        yield f"{entry.name:<{width}}  {entry.meaning}"


def _play(screen: Screen, entries: tuple[Numbered, ...], directory: Path) -> int:
    """Play answers in a lab of their own; give the exit code."""
    screen.progress("Starting ClearIP's stand-in, the carriers and the proxy")
    with stage(directory, answer_timeout_ms=ANSWER_TIMEOUT_MS) as running:
        went_well = [_show(screen, running, place, each) for place, each in enumerate(entries, 1)]
    right, all_of_them = sum(went_well), len(entries)
    colour = "green" if right == all_of_them else None
    screen.line(f"{right} of {all_of_them} went as they must.", bold=True, colour=colour)
    return 0 if right == all_of_them else FAILED


def _show(screen: Screen, running: Stage, place: int, entry: Numbered) -> bool:
    """Play one answer and show it; whether it went as it must."""
    outcome = OUTCOMES[entry.name]
    carriers = tuple(f"carrier {letter}" for letter in outcome.carriers)
    screen.progress(f"Calling {entry.number}")
    passages = settled(running, running.place_call(f"switch-{place}", entry.number, outcome.status))
    wrong = [
        *faults_of_outcome(passages, Expected(outcome.status, carriers), outcome.signatures),
        *_never_ended(passages),
    ]
    screen.line(f"{entry.name} ({entry.number})", bold=True)
    screen.line()
    screen.ladder(draw(passages, columns(tuple(dict.fromkeys(carriers)), passages)))
    screen.line()
    for sentence in wrong:
        screen.paragraph(sentence, colour="red")
    if not wrong:
        screen.paragraph(entry.meaning)
    screen.line()
    _reconcile(running, place, entry)
    return not wrong


def _never_ended(passages: list[Passage]) -> Iterator[str]:
    """Yield a sentence for what the switch still waits for; others may never answer, and do not."""
    for each in open_requests(passages):
        if each.sender == "switch":
            yield f"Never ended: {each.message.start_line}"


def _reconcile(running: Stage, place: int, entry: Numbered) -> None:
    """Let a site that has left a call without an answer give one: the third such call rests it."""
    if entry.answer.action is not Action.REPLY:
        running.place_call(f"between-{place}", PLAN[0].number, OUTCOMES[PLAN[0].name].status)


if __name__ == "__main__":
    main()
