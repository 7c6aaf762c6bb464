"""`inline-proxy run`, with a program in Kamailio's stead that answers over UDP.

Real Kamailio, and signals from outside: `tests/sipp/test_run_command.py`.
"""

import contextlib
import os
import random
import signal
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from inline_proxy import kamailio_process
from inline_proxy.cli import main
from inline_proxy.commands import run

pytestmark = pytest.mark.usefixtures("_own_signals")
Output = pytest.CaptureFixture[str]

BANNER = "a banner, which belongs on stderr\n"
BEGINS = f"""
import os, signal, socket, time
if "-v" in sys.argv:
    print("version: kamailio 5.6.3 (x86_64/linux)")
    sys.exit()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print({BANNER.strip()!r}, flush=True)
"""
# Answers one request, and then has the proxy ended.
ANSWERS_ONCE = f"""{BEGINS}
port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port.bind(("127.0.0.1", {{port}}))
_, peer = port.recvfrom(65535)
port.sendto(b"SIP/2.0 200 OK\\r\\n\\r\\n", peer)
os.kill({os.getpid()}, {{signal}})
time.sleep(60)
"""
SILENT = f"{BEGINS}\ntime.sleep(60)"


@dataclass(frozen=True)
class TestHost:
    """A host with a Kamailio of the test's making, and a configuration of one UDP listener."""

    __test__ = False

    install: Callable[[str], Path]
    config: Path
    port: int
    temporary: Path
    """Where private directories are made."""

    def install_answering(self, number: signal.Signals = signal.SIGTERM) -> None:
        """A Kamailio that answers, and has the proxy ended by a signal then."""
        self.install(ANSWERS_ONCE.format(port=self.port, signal=int(number)))

    @property
    def is_clean(self) -> bool:
        """Whether no private directory is left."""
        return list(self.temporary.iterdir()) == []


def port_that_nobody_gets() -> int:
    """A port of 127.0.0.1, free over UDP and TCP, and below those that the kernel hands out.

    So must be the one 20,000 above it, from which a proxy without `listen.tls` asks ClearIP.
    """
    while True:
        port = random.randrange(10_000, 12_700)  # noqa: S311 (no secret)
        with (
            socket.socket(type=socket.SOCK_DGRAM) as udp,
            socket.socket() as tcp,
            contextlib.suppress(OSError),
        ):
            udp.bind(("127.0.0.1", port))
            tcp.bind(("127.0.0.1", port))
            return port


@pytest.fixture
def host(
    install_kamailio: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> TestHost:
    """A host of the test's own."""
    port = port_that_nobody_gets()
    temporary = tmp_path_factory.mktemp("t")  # a control socket's path must be short
    config = tmp_path_factory.mktemp("etc") / "config.yaml"
    config.write_text(
        f"listen: {{addresses: [127.0.0.1], udp: {port}, tcp: null, tls: null}}\n"
        "admin: {listen: null}\n"  # its port by default is one that every test would want
    )
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("XDG_STATE_HOME", str(config.parent / "state"))
    return TestHost(install_kamailio, config, port, temporary)


def exit_code_of(*arguments: str | Path) -> object:
    """The exit code of the command with these arguments."""
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return ended.value.code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_run_says_ready_and_ends_by_a_signal_with_kamailios_exit_code(
    host: TestHost, capfd: Output, number: signal.Signals
) -> None:
    """`ready` alone on stdout; the private directory goes with the proxy."""
    host.install_answering(number)

    assert exit_code_of("run", host.config) == 0
    assert tuple(capfd.readouterr()) == ("ready\n", BANNER)
    assert host.is_clean


def test_hang_up_is_ignored_under_nohup() -> None:
    """Who starts it so wants it to go on when the terminal is closed."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    under_nohup = run.stop_signals()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

    assert signal.SIGHUP not in under_nohup
    assert signal.SIGHUP in run.stop_signals()


def test_signal_before_kamailio_runs_takes_the_private_directory_along(host: TestHost) -> None:
    """A key lies in it."""
    host.install(f"import os, signal\nos.kill({os.getpid()}, signal.SIGTERM)\n{BEGINS}")

    assert exit_code_of("run", host.config) == 128 + signal.SIGTERM
    assert host.is_clean


def test_signal_while_kamailio_starts_ends_it_without_ready(host: TestHost, capfd: Output) -> None:
    """With its exit code, and no complaint: somebody wanted it so."""
    host.install(f"{BEGINS}\nos.kill({os.getpid()}, signal.SIGTERM)\ntime.sleep(60)")

    assert exit_code_of("run", host.config) == 0
    assert tuple(capfd.readouterr()) == ("", BANNER)


def test_invalid_configuration_starts_nothing(host: TestHost, capfd: Output) -> None:
    """2, and the fault."""
    host.install("sys.exit('started')")
    host.config.write_text("listen: {udp: 0}\n")

    assert exit_code_of("run", host.config) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert host.is_clean


def test_taken_port_is_said_and_ends_with_two(host: TestHost, capfd: Output) -> None:
    """Before Kamailio is started."""
    host.install(BEGINS)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", host.port))
        assert exit_code_of("run", host.config) == 2

    assert capfd.readouterr().err.startswith(
        f"listen.udp: port {host.port} of 127.0.0.1 is taken by "
    )
    assert host.is_clean


@pytest.mark.parametrize(("its_own", "code"), [(255, 255), (0, 1)])
def test_kamailio_that_ends_at_once_is_explained(
    host: TestHost, capfd: Output, its_own: int, code: int
) -> None:
    """Never 0: it was not wanted. No child is left."""
    host.install(f"{BEGINS}\nsys.exit({its_own})")

    assert exit_code_of("run", host.config) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines()[-1].startswith(
        f"kamailio ended with exit code {its_own} before it answered; its ERROR lines above"
    )
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_kamailio_that_never_answers_is_explained_and_ended(
    host: TestHost, capfd: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the listeners that stayed silent."""
    # Enough for the stand-in to say that it heeds signals, on a busy machine too.
    monkeypatch.setattr(kamailio_process, "START_DEADLINE_S", 3.0)
    monkeypatch.setattr(kamailio_process, "PROBE_TIMEOUT_S", 0.1)
    host.install(SILENT)

    assert exit_code_of("run", host.config) == 1
    assert f"listen: no answer from udp:127.0.0.1:{host.port} in " in capfd.readouterr().err


def test_state_directory_keeps_certificate_and_dialog_key(host: TestHost, tmp_path: Path) -> None:
    """They outlive the run."""
    state = tmp_path / "state"
    state.mkdir()
    host.install_answering()

    assert exit_code_of("run", host.config, "--state-dir", state) == 0
    assert {path.name for path in state.iterdir()} == {
        "dialog-keys",
        "observer.json",
        "proxy-certificate.pem",
        "proxy-private-key.pem",
    }


def test_host_without_room_for_temporary_files_is_said_so(
    host: TestHost, capfd: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, no traceback."""

    def refuse(**_: str) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refuse)

    assert exit_code_of("run", host.config) == 2
    assert capfd.readouterr().err == (
        "TMPDIR: cannot be written: No usable temporary directory found in ['/tmp']\n"
    )
