"""The demo as a person runs it: real Kamailio, real calls, and what it leaves."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from inline_proxy.paths import ROOT
from sipp.waiting import wait_until

pytestmark = pytest.mark.usefixtures("_own_network")
IN_ITS_OWN_NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
"""As scripts/demo does it."""
SUMMARY = (
    "4 of 4 calls went as they must: ClearIP asked once for each, its Identity on every attempt, "
    "no redirect seen by the switch."
)
PATIENCE_S = 60
ESCAPE = "\x1b"


class Demo:
    """A demo that runs, or has run."""

    def __init__(self, directory: Path, *options: str, path: str = os.environ["PATH"]) -> None:
        self.temporary = directory / "t"
        self.temporary.mkdir()
        self._said = directory / "said"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [*IN_ITS_OWN_NETWORK, sys.executable, "-m", "inline_proxy.lab.demo", *options],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=os.environ
                | {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(self.temporary), "PATH": path},
            )
        self._seen: set[psutil.Process] = set()

    @property
    def said(self) -> str:
        """What stands on the screen so far, standard error included."""
        return self._said.read_text()

    def says(self, text: str) -> bool:
        """Tell whether it has said something; take note of the processes that it has."""
        self._seen.update(psutil.Process(self.process.pid).children(recursive=True))
        return text in self.said

    def runs_kamailio(self) -> bool:
        """Tell whether it has come to the start of the proxy."""
        self.says("")
        return any(process.name() == "kamailio" for process in self._seen if process.is_running())

    def end(self, number: signal.Signals) -> int:
        """Send it a signal, and wait for its end."""
        self.says("")
        self.process.send_signal(number)
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait for its end."""
        return self.process.wait(PATIENCE_S)

    def leaves_no_process(self) -> bool:
        """Tell whether every process that was seen ends, and there were some."""
        assert self._seen
        wait_until(lambda: not any(map(_lives, self._seen)), "every process has ended")
        return True

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left in its temporary directory."""
        return list(self.temporary.iterdir()) == []


def _lives(process: psutil.Process) -> bool:
    """Tell whether a process runs: one that has ended and waits for its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


Demos = Callable[..., Demo]


@pytest.fixture
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demos]:
    """Run demos; whatever still runs is ended with the test."""
    directory = tmp_path_factory.mktemp("demo")  # a control socket's path must be short
    started: list[Demo] = []

    def start(*options: str, **more: str) -> Demo:
        started.append(Demo(directory, *options, **more))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.terminate()
            each.process.wait(PATIENCE_S)
        sys.stdout.write(each.said)  # pytest shows it when the test has failed


def test_demo_shows_four_calls_and_says_that_they_went_well(demo: Demos) -> None:
    """Four ladders and one line at the end; no colours where nobody watches, and no trace."""
    shown = demo()

    assert shown.exit_code() == 0
    lines = shown.said.splitlines()
    assert lines[-1] == SUMMARY
    assert [line[:2] for line in lines if line[:2] in {"1.", "2.", "3.", "4."}] == [
        "1.",
        "2.",
        "3.",
        "4.",
    ]
    assert sum("200 OK" in line for line in lines) >= 4
    assert any("603 Decline" in line for line in lines)
    assert ESCAPE not in shown.said
    assert shown.is_clean


def starts(shown: Demo) -> None:
    """Wait until it starts the proxy."""
    wait_until(shown.runs_kamailio, "Kamailio starts")


def calls(shown: Demo) -> None:
    """Wait until it has shown the first call."""
    wait_until(lambda: shown.says("1. "), "the first call is shown")


@pytest.mark.parametrize("wait_for_the_moment", [starts, calls])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_leaves_nothing(
    demo: Demos, wait_for_the_moment: Callable[[Demo], None], number: signal.Signals
) -> None:
    """No process, no file, and the exit code that a shell expects."""
    shown = demo()
    wait_for_the_moment(shown)

    assert shown.end(number) == 128 + number
    assert shown.leaves_no_process()
    assert shown.is_clean


def test_killed_demo_leaves_no_process(demo: Demos) -> None:
    """Nobody is left to end them, so they end by themselves."""
    shown = demo()
    calls(shown)

    assert shown.end(signal.SIGKILL) == -signal.SIGKILL
    assert shown.leaves_no_process()


def test_demo_that_is_kept_lasts_until_it_is_interrupted(demo: Demos) -> None:
    """It says where to point a phone, and Ctrl-C is its proper end."""
    shown = demo("--keep")
    wait_until(lambda: shown.says("Ctrl-C"), "it says how to end it")
    assert SUMMARY in shown.said

    assert shown.end(signal.SIGINT) == 0
    assert shown.leaves_no_process()
    assert shown.is_clean


@pytest.mark.parametrize("missing", ["sipp", "kamailio"])
def test_demo_without_a_program_says_so_in_one_sentence(
    demo: Demos, tmp_path: Path, missing: str
) -> None:
    """No traceback; beside the sentence only where the logs are."""
    programs = {"unshare", "sh", "ip", "setpriv", "sipp", "kamailio"} - {missing}
    for program in programs:
        found = shutil.which(program)
        assert found, f"{program} is not installed"
        (tmp_path / program).symlink_to(found)

    shown = demo(path=str(tmp_path))

    assert shown.exit_code() == 1
    sentence, *where = shown.said.splitlines()
    assert missing in sentence
    assert [line.partition(" is in ")[0] for line in where] == ["What everybody wrote"]
