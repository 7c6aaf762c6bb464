"""Kamailio's life, with programs in its stead that answer, ignore, or die."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from inline_proxy import kamailio_process
from inline_proxy.kamailio_process import KamailioProcess, command
from inline_proxy.listeners import Listener
from inline_proxy.shared_memory import host_memory_bytes, shared_memory_mb
from unit.operator.waiting import wait_until

pytestmark = pytest.mark.usefixtures("_own_signals")
InstallFake = Callable[[str], Path]

# Answers one request per second, until it is told to end.
ANSWERING = """
import socket
port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port.bind(("127.0.0.1", {port}))
while True:
    _, peer = port.recvfrom(65535)
    port.sendto(b"SIP/2.0 200 OK\\r\\n\\r\\n", peer)
"""
SILENT = "import time\ntime.sleep(60)"
# With a worker that outlives it; says so when both run.
WITH_WORKER = """
import os, time
from pathlib import Path
if os.fork() == 0:
    time.sleep(60)
Path({path!r}).touch()
time.sleep(60)
"""
# Its main process does not pass the signal on.
WAITING_FOR_WORKER = """
import os, signal, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_DFL)
if os.fork() == 0:
    time.sleep(60)
signal.signal(signal.SIGTERM, lambda *_: None)
Path({path!r}).touch()
os.wait()
os._exit(0)  # at once: Python's own end gives signals their meaning back
"""
DEAF = """
import signal, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path({path!r}).touch()
time.sleep(60)
"""


@pytest.fixture
def listener() -> Listener:
    """A UDP socket that nobody holds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return Listener("udp", ip_address("127.0.0.1"), free.getsockname()[1])


@pytest.fixture(autouse=True)
def _short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as an operator would."""
    monkeypatch.setattr(kamailio_process, "STOP_DEADLINE_S", 0.3)
    monkeypatch.setattr(kamailio_process, "STOP_REMINDER_S", 0.1)
    monkeypatch.setattr(kamailio_process, "PROBE_TIMEOUT_S", 0.1)


def members_of(group: int) -> Iterator[int]:
    """The living processes of a group."""
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                yield process.pid
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue


def signalled_to_this_process(number: signal.Signals, *, when: Path) -> threading.Thread:
    """Send a signal once a file is there."""

    def send() -> None:
        wait_until(when.exists)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_command_has_the_guards_that_no_file_can_hold() -> None:
    """The allocator, a folder of its own, and the end of Kamailio when its keeper is killed."""
    words = " ".join(command(Path("/rendered")))

    assert words == (
        "setpriv --pdeathsig TERM kamailio -f /rendered/kamailio.cfg -Y /rendered -DD -E "
        f"-m {shared_memory_mb(host_memory_bytes())} -M 16 -x tlsf -X tlsf"
    )


def test_listener_that_answers_makes_the_start_complete(
    install_kamailio: InstallFake, tmp_path: Path, listener: Listener
) -> None:
    """Nothing is silent any more, and Kamailio runs."""
    install_kamailio(ANSWERING.format(port=listener.port))

    with KamailioProcess(tmp_path) as process:
        assert process.silent_after_start([listener]) == ()
        assert process.is_running


def test_kamailio_that_stays_silent_is_given_up_at_the_deadline(
    install_kamailio: InstallFake,
    tmp_path: Path,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The caller learns which listeners did not answer."""
    monkeypatch.setattr(kamailio_process, "START_DEADLINE_S", 0.2)
    install_kamailio(SILENT)

    with KamailioProcess(tmp_path) as process:
        assert process.silent_after_start([listener]) == (listener,)
        assert process.is_running


def test_kamailio_that_ends_at_once_is_not_waited_for(
    install_kamailio: InstallFake, tmp_path: Path, listener: Listener
) -> None:
    """Its exit code is the caller's."""
    install_kamailio("sys.exit(7)")

    with KamailioProcess(tmp_path) as process:
        assert process.silent_after_start([listener]) == (listener,)
        assert not process.is_running
        assert process.wait() == 7
        assert process.wait() == 7


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_kamailio_with_its_exit_code(
    install_kamailio: InstallFake, tmp_path: Path, number: signal.Signals
) -> None:
    """One that ends by the signal itself gives 128 and the signal's number, as in a shell."""
    install_kamailio(WITH_WORKER.format(path=str(tmp_path / "up")))

    with KamailioProcess(tmp_path) as process:
        process.stop_on([number])
        sender = signalled_to_this_process(number, when=tmp_path / "up")
        status = process.wait()
        sender.join()

    assert status == 128 + signal.SIGTERM
    assert process.stop_wanted


def test_signal_while_kamailio_starts_ends_the_waiting(
    install_kamailio: InstallFake, tmp_path: Path, listener: Listener
) -> None:
    """Nobody waits for listeners that are no longer wanted."""
    install_kamailio(DEAF.format(path=str(tmp_path / "up")))

    with KamailioProcess(tmp_path) as process:
        process.stop_on([signal.SIGTERM])
        sender = signalled_to_this_process(signal.SIGTERM, when=tmp_path / "up")
        silent = process.silent_after_start([listener])
        sender.join()

    assert silent == (listener,)
    assert process.stop_wanted


def test_kamailio_that_ignores_the_signal_is_killed_at_the_deadline(
    install_kamailio: InstallFake, tmp_path: Path
) -> None:
    """A stop takes a bounded time."""
    install_kamailio(DEAF.format(path=str(tmp_path / "up")))

    with KamailioProcess(tmp_path) as process:
        wait_until((tmp_path / "up").exists)
        process.stop()
        status = process.wait()

    assert status == 128 + signal.SIGKILL


def test_worker_that_has_missed_the_end_is_reminded(
    install_kamailio: InstallFake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The main process waits for it, as Kamailio does for workers that it was just forking."""
    monkeypatch.setattr(kamailio_process, "STOP_DEADLINE_S", 60)
    install_kamailio(WAITING_FOR_WORKER.format(path=str(tmp_path / "up")))

    with KamailioProcess(tmp_path) as process:
        wait_until((tmp_path / "up").exists)
        process.stop()
        status = process.wait()

    assert status == 0


def test_worker_does_not_outlive_the_main_process(
    install_kamailio: InstallFake, tmp_path: Path
) -> None:
    """However the main process ended."""
    install_kamailio(WITH_WORKER.format(path=str(tmp_path / "up")))

    with KamailioProcess(tmp_path) as process:
        wait_until((tmp_path / "up").exists)
        (main,) = (each.pid for each in psutil.Process().children())
        assert len(list(members_of(main))) == 2
        os.kill(main, signal.SIGKILL)
        status = process.wait()

        assert status == 128 + signal.SIGKILL
        wait_until(lambda: not list(members_of(main)))


def test_exception_leaves_no_kamailio_behind(install_kamailio: InstallFake, tmp_path: Path) -> None:
    """The end of the block is the end of the process."""
    install_kamailio(WITH_WORKER.format(path=str(tmp_path / "up")))

    def fail() -> None:
        wait_until((tmp_path / "up").exists)
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError), KamailioProcess(tmp_path) as process:
        fail()

    assert not process.is_running
    assert psutil.Process().children() == []
