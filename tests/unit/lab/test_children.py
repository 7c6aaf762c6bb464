"""Programs of the lab: none outlives it."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from inline_proxy.lab import children as children_module
from inline_proxy.lab.children import Children, LabError, holds_udp_port

IGNORES_TERM = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""

STARTS_ONE = """
import signal, sys
from pathlib import Path
import psutil
from inline_proxy.lab.children import Children
children = Children(Path(sys.argv[1]))
child = children.start("one", ["sleep", "1000"])
process = psutil.Process(child.process.pid)
children.wait_for(child, lambda: process.name() == "sleep", "it took the place of setpriv")
print(child.process.pid, flush=True)
signal.pause()
"""


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_programs_end_with_the_lab(tmp_path: Path) -> None:
    """Also when the lab ends by an error."""
    pids: list[int] = []

    def lab() -> None:
        with Children(tmp_path) as children:
            started = [children.start(name, ["sleep", "1000"]) for name in ("one", "two")]
            pids.extend(child.process.pid for child in started)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lab()

    assert [is_running(pid) for pid in pids] == [False, False]


def test_program_that_does_not_listen_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that ignores SIGTERM does not stay behind."""
    monkeypatch.setattr(children_module, "STOP_DEADLINE_S", 0.2)
    with Children(tmp_path) as children:
        child = children.start("stubborn", [sys.executable, "-c", IGNORES_TERM])
        children.wait_for(child, lambda: "ready" in child.output, "it was ready")

    assert child.process.returncode == -signal.SIGKILL


def test_program_that_ends_too_early_is_told_with_its_own_words(tmp_path: Path) -> None:
    """The line with the error, where there is one."""
    script = "echo starting >&2; echo ERROR: no such file >&2; exit 3"
    with Children(tmp_path) as children:
        child = children.start("proxy", ["sh", "-c", script])
        with pytest.raises(LabError) as told:
            children.wait_for(child, lambda: False, "it was ready")

    assert str(told.value) == "proxy ended before it was ready: ERROR: no such file"


def test_program_that_never_gets_ready_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever."""
    monkeypatch.setattr(children_module, "PATIENCE_S", 0.1)
    with Children(tmp_path) as children:
        child = children.start("proxy", ["sleep", "1000"])
        with pytest.raises(LabError, match=r"it was ready did not happen in 0.1 s\."):
            children.wait_for(child, lambda: False, "it was ready")
        with pytest.raises(LabError, match=r"did not end in 0.1 s\."):
            children.wait_for_end(child)


def test_exit_code_of_a_program_is_given(tmp_path: Path) -> None:
    """What it printed is in a file of its own."""
    with Children(tmp_path) as children:
        child = children.start("one", ["sh", "-c", "echo said; echo complained >&2; exit 7"])

        assert children.wait_for_end(child) == 7
        assert (child.output, child.complaints) == ("said\n", "complained\n")


def test_first_program_to_end_is_found(tmp_path: Path) -> None:
    """The lab that keeps running wants to know when it does not any more."""
    with Children(tmp_path) as children:
        children.start("stays", ["sleep", "1000"])
        ends = children.start("ends", ["true"])

        assert children.wait_until_one_ends() is ends


def test_launcher_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a sentence, not with a traceback."""
    monkeypatch.setenv("PATH", "/nowhere")
    with Children(tmp_path) as children, pytest.raises(LabError, match=r"No such file"):
        children.start("proxy", ["true"])


def test_program_ends_when_the_lab_is_killed(tmp_path: Path) -> None:
    """SIGKILL leaves no time to tidy up; the kernel does it."""
    lab = subprocess.Popen(
        [
            sys.executable,
            "-c",
            STARTS_ONE,
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert lab.stdout
    with lab.stdout:
        pid = int(lab.stdout.readline())
    program = psutil.Process(pid)
    os.kill(lab.pid, signal.SIGKILL)
    lab.wait()

    psutil.wait_procs([program], timeout=5)
    assert not is_running(pid)


def test_bound_udp_port_is_seen() -> None:
    """That is how a carrier is known to listen."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert holds_udp_port(port)

    assert not holds_udp_port(port)
