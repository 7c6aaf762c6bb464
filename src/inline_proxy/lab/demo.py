"""Shows the proxy at work: `python -m inline_proxy.lab.demo [--keep]`."""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from inline_proxy.lab.answers import named
from inline_proxy.lab.children import LabError
from inline_proxy.lab.expectations import Expected, faults, open_requests
from inline_proxy.lab.invitation import invitation
from inline_proxy.lab.ladder import draw
from inline_proxy.lab.passage import PROXY, Passage, one_call
from inline_proxy.lab.screen import Screen
from inline_proxy.lab.stage import Stage, stage

FAILED: Final = 1
ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SETTLED_WITHIN_S: Final = 5.0
POLL_INTERVAL_S: Final = 0.02


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


class Ended(BaseException):
    """A signal asks the lab to end."""


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running until Ctrl-C.")
def main(*, keep: bool) -> None:
    """Place calls through the proxy in a lab of its own and show each as a SIP ladder."""
    with _ended_by_signals():
        sys.exit(_run(Screen.of_this_process(), keep=keep))


def _run(screen: Screen, *, keep: bool) -> int:
    """Run the demo in a directory of its own, which stays when something went wrong."""
    directory = Path(tempfile.mkdtemp(prefix="inline-proxy-demo-"))
    status = FAILED
    try:
        status = _demo(screen, directory, keep=keep)
    except LabError as error:
        screen.line(str(error), colour="red")
    except Ended as ended:
        status = 0 if keep and ended.args[0] == signal.SIGINT else 128 + int(ended.args[0])
        if screen.terminal:
            screen.line()
    finally:
        if status == FAILED:
            screen.line(f"What everybody wrote is in {directory}")
        else:
            shutil.rmtree(directory)
    return status


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Raise `Ended` at the first signal; those that come while the lab ends change nothing."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise Ended(number)

    before = {each: signal.signal(each, end) for each in ENDING}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


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
    passages = _settled(
        running, running.place_call(f"switch-{place}", number, call.expected.status)
    )
    screen.line(f"{place}. {call.headline} ({number})", bold=True)
    screen.line()
    screen.ladder(draw(passages, _columns(call, passages)))
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


def _settled(running: Stage, by_switch: list[Passage]) -> list[Passage]:
    """Give one call's passages, once the last message is in everybody's record."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        passages = one_call([*by_switch, *running.seen_by_others()], by_switch[0].call_id)
        if not open_requests(passages) or time.monotonic() > deadline:
            return passages
        time.sleep(POLL_INTERVAL_S)


def _columns(call: DemoCall, passages: list[Passage]) -> list[str]:
    """Give the ladder's columns: those to be shown, and who else took part."""
    taking_part = {name for each in passages for name in (each.sender, each.receiver)}
    shown = ["switch", PROXY, "ClearIP", *call.columns]
    return [*shown, *sorted(taking_part - set(shown))]


if __name__ == "__main__":
    main()
