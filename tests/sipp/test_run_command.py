"""`inline-proxy run` with real Kamailio: how it starts, how it ends, and what it leaves."""

import resource
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from inline_proxy.kamailio_process import STOP_DEADLINE_S
from inline_proxy.sip_probe import answers_options
from sipp.running import (
    HOST,
    HOST_IPV6,
    LISTEN,
    LISTENERS,
    PORT,
    TLS_PORT,
    Run,
    inline_proxy,
    lives,
)
from sipp.waiting import wait_until

pytestmark = pytest.mark.usefixtures("_own_network")
CONFIG: dict[str, Any] = {"listen": LISTEN}
PROBE_S = 2
Runs = Callable[..., Run]


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Start `inline-proxy run`; whatever still runs is ended with the test."""
    directory = tmp_path_factory.mktemp("run")  # a control socket's path must be short
    started: list[Run] = []

    def start(config: dict[str, Any] | str = CONFIG, *options: str, **more: Any) -> Run:  # noqa: ANN401
        started.append(Run(directory, config, *options, **more))
        return started[-1]

    yield start
    for each in started:
        with each:
            print(each.log)  # noqa: T201 - pytest shows it when the test has failed


def test_ready_is_said_when_every_listener_answers_and_nothing_else_on_stdout(run: Runs) -> None:
    """UDP, TCP and TLS, IPv4 and IPv6."""
    proxy = run().wait_until_ready()

    answered = [answers_options(listener, PROBE_S) for listener in LISTENERS]

    assert answered == [True] * 6
    assert proxy.end(signal.SIGTERM) == 0
    assert proxy.rest_of_stdout() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_it_with_kamailios_exit_code_and_leaves_nothing(
    run: Runs, number: signal.Signals
) -> None:
    """No process, no file: the private directory held a key."""
    proxy = run().wait_until_ready()
    assert not proxy.is_clean

    assert proxy.end(number) == 0
    assert proxy.leaves_no_process()
    assert proxy.is_clean


def test_signal_before_it_is_ready_leaves_nothing(run: Runs) -> None:
    """A restart that overtakes a start."""
    before = set(psutil.Process().children(recursive=True))
    proxy = run()
    wait_until(lambda: not proxy.is_clean, "the private directory is made")

    proxy.end(signal.SIGTERM)

    assert proxy.rest_of_stdout() == ""
    assert not any(lives(each) for each in set(psutil.Process().children(recursive=True)) - before)
    assert proxy.is_clean


def test_signal_while_workers_are_forked_ends_it_well_before_it_would_be_killed(run: Runs) -> None:
    """The main process tells the workers that it has, and waits for the others, too."""
    proxy = run()
    wait_until(lambda: answers_options(LISTENERS[0], PROBE_S), "the first workers are there")
    told_s = time.monotonic()

    assert proxy.end(signal.SIGTERM) == 0
    assert time.monotonic() - told_s < STOP_DEADLINE_S / 2
    assert proxy.is_clean


def test_killed_run_leaves_no_kamailio_behind(run: Runs) -> None:
    """The kernel tells Kamailio that its keeper is gone; it takes its workers along."""
    proxy = run().wait_until_ready()
    assert len(proxy.workers) > 5

    assert proxy.end(signal.SIGKILL) == -signal.SIGKILL
    assert proxy.leaves_no_process()


def test_killed_kamailio_ends_the_run_with_its_code_and_leaves_no_worker(run: Runs) -> None:
    """Workers alone would hold the ports, and answer nobody."""
    proxy = run().wait_until_ready()

    proxy.kamailio.kill()

    assert proxy.exit_code() == 128 + signal.SIGKILL
    assert proxy.leaves_no_process()
    assert proxy.is_clean


def test_killed_worker_ends_the_run_and_leaves_no_other_worker(run: Runs) -> None:
    """Kamailio ends when it loses one: the whole is started anew by who keeps it."""
    proxy = run().wait_until_ready()

    proxy.workers[0].kill()

    assert proxy.exit_code() != 0
    assert proxy.leaves_no_process()


def test_kamailio_that_hangs_is_killed_in_bounded_time(run: Runs) -> None:
    """A main process that no longer listens to signals."""
    proxy = run().wait_until_ready()
    proxy.kamailio.suspend()

    assert proxy.end(signal.SIGTERM) == 128 + signal.SIGKILL
    assert proxy.leaves_no_process()
    assert proxy.is_clean


def test_port_in_use_is_said_with_its_holder(run: Runs) -> None:
    """Before anything is started: Kamailio alone would share a UDP port without a word."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind((HOST, PORT))
        proxy = run()
        assert proxy.exit_code() == 2

    assert f"listen.udp: port {PORT} of {HOST} is taken by " in proxy.log
    assert "; stop that, or give another port\n" in proxy.log
    assert proxy.rest_of_stdout() == ""
    assert proxy.is_clean


def test_second_proxy_on_the_same_ports_is_refused_and_the_first_lives_on(run: Runs) -> None:
    """Each of its sockets is named, and who holds it."""
    run().wait_until_ready()

    second = run()

    assert second.exit_code() == 2
    assert second.log.count("is taken by kamailio (pid ") == len(LISTENERS)
    assert all(answers_options(listener, PROBE_S) for listener in LISTENERS)


def test_address_of_another_host_is_said_with_those_of_this_one(run: Runs) -> None:
    """Key, value and remedy in one sentence."""
    proxy = run({"listen": {"addresses": ["192.0.2.99"]}})

    assert proxy.exit_code() == 2
    assert proxy.log == (
        "listen.addresses: 192.0.2.99 is not an address of this host; "
        "allowed: all, or some of 127.0.0.1, ::1; for an address that moves between hosts: "
        "listen.floating: true\n"
    )


def test_kamailio_that_cannot_start_is_explained(run: Runs) -> None:
    """Too little memory here; the last line says where to look."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limited = ("prlimit", f"--as={400 << 20}:{most}")

    proxy = run(CONFIG, prefix=limited)

    assert proxy.exit_code() not in {0, 2}
    assert "kamailio ended with exit code " in proxy.log.splitlines()[-1]
    assert proxy.is_clean


def test_invalid_configuration_starts_nothing(run: Runs) -> None:
    """All faults, and 2."""
    proxy = run("listen: {udp: 0}\nclearip: {keepalive_s: 0}\n")

    assert proxy.exit_code() == 2
    assert [line.split(":")[0] for line in proxy.log.splitlines()] == [
        "listen.udp",
        "clearip.keepalive_s",
    ]
    assert proxy.is_clean


@pytest.fixture
def silent_name_server(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """What to put before a command, so that its name server takes questions and answers none."""
    resolv_conf = tmp_path / "resolv.conf"
    resolv_conf.write_text("nameserver 127.0.0.53\n")
    bind = f"mount --bind {resolv_conf} /etc/resolv.conf"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.53", 53))
        yield ("unshare", "--mount", "sh", "-c", f'{bind} && exec "$@"', "sh")


def test_start_needs_no_name_server(run: Runs, silent_name_server: tuple[str, ...]) -> None:
    """After a power cut the proxy may be up before the DNS; ClearIP's name can wait."""
    proxy = run(
        {
            "listen": LISTEN | {"advertise": "sip.example.net"},
            "clearip": {"keepalive_s": 1},
            "default_route": ["sip:gateway.example.net"],
        },
        prefix=silent_name_server,
    )

    proxy.wait_until_ready()

    assert all(answers_options(listener, PROBE_S) for listener in LISTENERS)


def test_rendered_files_are_accepted_by_kamailios_own_check(tmp_path: Path) -> None:
    """Its grammar, its modules, their parameters."""
    config = tmp_path / "config.yaml"
    config.write_text("")
    inline_proxy("render", str(config), "-o", str(tmp_path / "out"))
    command = ["kamailio", "-c", "-f", str(tmp_path / "out" / "kamailio.cfg")]

    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr
    assert "config file ok, exiting" in checked.stderr
    assert "ERROR" not in checked.stderr


def test_state_directory_keeps_the_certificate_between_runs(run: Runs, tmp_path: Path) -> None:
    """A switch that was told to trust it need not be told again."""
    shown = []
    for _ in range(2):
        proxy = run(CONFIG, "--state-dir", str(tmp_path)).wait_until_ready()
        shown.append(ssl.get_server_certificate((HOST, TLS_PORT)))
        assert proxy.end(signal.SIGTERM) == 0

    kept = (tmp_path / "proxy-certificate.pem").read_text()
    assert shown == [kept, kept]


def test_log_of_a_start_is_short(run: Runs) -> None:
    """What an operator reads at night: no INFO of Kamailio's, and no line without a purpose.

    That ClearIP's name leads nowhere is true here, where there is no name server.
    """
    said = run().wait_until_ready().log.splitlines()
    lines = [line for line in said if "its name cannot be looked up" not in line]

    assert not [line for line in lines if "INFO" in line or "ERROR" in line]
    assert len(lines) <= 6 + 3 * len(LISTENERS), lines


@pytest.mark.parametrize("off", [("udp",), ("tcp",), ("tls",), ("udp", "tcp"), ("udp", "tls")])
def test_listener_that_is_off_is_not_opened(run: Runs, off: tuple[str, ...]) -> None:
    """The others answer."""
    run({"listen": LISTEN | dict.fromkeys(off)}).wait_until_ready()

    answering = {each.transport for each in LISTENERS if answers_options(each, PROBE_S)}

    assert answering == {"udp", "tcp", "tls"} - set(off)


def test_all_addresses_of_the_host_are_listened_on(run: Runs) -> None:
    """The default; here that is loopback."""
    run({"listen": {key: LISTEN[key] for key in ("udp", "tcp", "tls")}}).wait_until_ready()

    with socket.create_connection(("127.0.0.1", PORT), 1):
        pass
    with socket.create_connection((HOST_IPV6, TLS_PORT), 1):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, PORT), 1).close()
