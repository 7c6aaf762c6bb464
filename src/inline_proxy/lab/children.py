"""The programs of a lab: started, waited for, and ended with the lab whatever happens."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

PATIENCE_S: Final = 30.0
STOP_DEADLINE_S: Final = 12.0  # a proxy gives its Kamailio ten
POLL_INTERVAL_S: Final = 0.02


class LabError(Exception):
    """The lab cannot go on; the text is a sentence for the person in front of it."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running program; its standard output and error go to files named after it."""

    name: str
    process: subprocess.Popen[bytes]
    directory: Path

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return (self.directory / f"{self.name}.out").read_text(errors="replace")

    @property
    def complaints(self) -> str:
        """What it has written on standard error so far."""
        return (self.directory / f"{self.name}.log").read_text(errors="replace")

    @property
    def ended(self) -> bool:
        """Whether it is no longer running."""
        return self.process.poll() is not None


class Children:
    """Starts programs, and ends every one of them on the way out."""

    def __init__(self, directory: Path) -> None:
        """`directory` is an existing one, for the programs' output."""
        self._directory = directory
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def start(self, name: str, command: Sequence[str | Path]) -> Child:
        """Start a program in a session of its own, so that Ctrl-C reaches the lab alone.

        `setpriv` ends it even when the lab is killed. Raises `LabError` when it is not installed.
        """
        try:
            with (
                (self._directory / f"{name}.out").open("wb") as output,
                (self._directory / f"{name}.log").open("wb") as log,
            ):
                process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "TERM", *command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise LabError(f"{name} cannot be started: {error.strerror}.") from error
        child = Child(name, process, self._directory)
        self._children.append(child)
        return child

    def wait_for(self, child: Child, condition: Callable[[], bool], awaited: str) -> None:
        """Wait until the condition holds; raises `LabError` when the program ends before."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if child.ended:
                raise LabError(f"{child.name} ended before {awaited}{_last_words(child)}")
            if time.monotonic() > deadline:
                raise LabError(f"{child.name}: {awaited} did not happen in {PATIENCE_S:g} s.")
            time.sleep(POLL_INTERVAL_S)

    def wait_for_end(self, child: Child) -> int:
        """Wait until a program ends and give its exit code; raises `LabError` when it does not."""
        try:
            return child.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise LabError(f"{child.name} did not end in {PATIENCE_S:g} s.") from None

    def wait_until_one_ends(self) -> Child:
        """Wait as long as all run; give the first that does not any more."""
        while True:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            if ended := next((child for child in self._children if child.ended), None):
                return ended

    def end(self) -> None:
        """End all, the last started first: the proxy leaves before those it talks to."""
        for child in reversed(self._children):
            if not child.ended:
                child.process.terminate()
            try:
                child.process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
        self._children.clear()


def holds_udp_port(port: int) -> bool:
    """Whether a program of this network namespace has bound a UDP port."""
    return any(one.laddr and one.laddr.port == port for one in psutil.net_connections("udp"))


def _last_words(child: Child) -> str:
    """Give why a program ended, as it says itself on standard error, as an end of sentence."""
    lines = child.complaints.strip().splitlines()
    errors = [line for line in lines if "ERROR" in line] or lines
    return f": {errors[0].strip()}" if errors else "."
