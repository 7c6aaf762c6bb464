"""What the programs that show calls share: their directory, their end, a call's messages."""

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from inline_proxy.lab.children import LabError
from inline_proxy.lab.expectations import open_requests
from inline_proxy.lab.passage import PROXY, Passage, one_call
from inline_proxy.lab.screen import Screen
from inline_proxy.lab.stage import Stage

FAILED: Final = 1
ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SETTLED_WITHIN_S: Final = 5.0
POLL_INTERVAL_S: Final = 0.02


class Ended(BaseException):
    """A signal asks the lab to end."""


def perform(screen: Screen, name: str, show: Callable[[Path], int], *, keep: bool = False) -> int:
    """Show something in a directory of its own, which stays when something went wrong.

    Returns the exit code; `keep` says that Ctrl-C is the proper end.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"inline-proxy-{name}-"))
    status = FAILED
    try:
        status = show(directory)
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
def ended_by_signals() -> Iterator[None]:
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


def settled(running: Stage, by_switch: list[Passage]) -> list[Passage]:
    """Give one call's passages, once the last message is in everybody's record."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while True:
        passages = one_call([*by_switch, *running.seen_by_others()], by_switch[0].call_id)
        if not open_requests(passages) or time.monotonic() > deadline:
            return passages
        time.sleep(POLL_INTERVAL_S)


def columns(shown: Sequence[str], passages: Sequence[Passage]) -> list[str]:
    """Give the ladder's columns: who is always there, `shown`, and who else took part."""
    taking_part = {name for each in passages for name in (each.sender, each.receiver)}
    always = ["switch", PROXY, "ClearIP", *shown]
    return [*always, *sorted(taking_part - set(always))]
