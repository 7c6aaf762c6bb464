"""Sockets that cannot be opened, and what the operator is told."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import psutil
import pytest

from inline_proxy.busy_ports import busy
from inline_proxy.listeners import Listener, Transport

HOLDER = rf"{re.escape(Path('/proc/self/comm').read_text().strip())} \(pid {os.getpid()}\)"


@pytest.fixture(params=["udp", "tcp", "tls"])
def taken(request: pytest.FixtureRequest) -> Iterator[Listener]:
    """A socket that this process has opened already."""
    transport: Transport = request.param
    with held(transport, "127.0.0.1") as holder:
        yield Listener(transport, ip_address("127.0.0.1"), holder.getsockname()[1])


def held(transport: Transport, host: str) -> socket.socket:
    """An open socket on a free port."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    holder = socket.socket(socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Kamailio does
    holder.bind((host, 0))
    if kind == socket.SOCK_STREAM:
        holder.listen()
    return holder


def test_taken_port_is_named_with_its_key_address_and_holder(taken: Listener) -> None:
    """And with what to do."""
    (sentence,) = busy([taken])

    assert re.fullmatch(
        rf"listen\.{taken.transport}: port {taken.port} of 127\.0\.0\.1 is taken by {HOLDER}; "
        "stop that, or give another port",
        sentence,
    )


def test_port_of_the_cluster_is_named_with_its_own_keys() -> None:
    """Where it is taken, and where the address is another host's."""
    with held("udp", "127.0.0.1") as holder:
        port = holder.getsockname()[1]
        taken = Listener("udp", ip_address("127.0.0.1"), port, is_for_cluster=True)
        foreign = Listener("udp", ip_address("192.0.2.77"), port, is_for_cluster=True)
        one, other = busy([taken, foreign])

    assert one.startswith(f"cluster.port: port {port} of 127.0.0.1 is taken by ")
    assert other.startswith("cluster.address: 192.0.2.77 is not an address of this host; allowed")


def test_holder_of_every_address_is_found() -> None:
    """A process on 0.0.0.0 is in the way on each of them."""
    with held("udp", "0.0.0.0") as holder:  # noqa: S104 - what this test is about
        (sentence,) = busy([Listener("udp", ip_address("127.0.0.1"), holder.getsockname()[1])])

    assert re.search(HOLDER, sentence)


def test_free_port_is_not_named() -> None:
    """On neither family."""
    assert (
        busy(
            [
                Listener("udp", ip_address("127.0.0.1"), 39_471),
                Listener("tcp", ip_address("::1"), 39_472),
            ]
        )
        == ()
    )


def test_port_of_an_ended_connection_is_free() -> None:
    """Kamailio opens it as well: a restart need not wait for TIME_WAIT."""
    with held("tcp", "127.0.0.1") as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()

    assert busy([Listener("tcp", ip_address("127.0.0.1"), port)]) == ()


def test_address_of_another_host_is_named_once_with_those_of_this_host() -> None:
    """However many transports want it."""
    elsewhere = ip_address("192.0.2.99")

    (sentence,) = busy([Listener("udp", elsewhere, 5060), Listener("tcp", elsewhere, 5060)])

    assert sentence.startswith(
        "listen.addresses: 192.0.2.99 is not an address of this host; allowed: all, or some of "
    )
    assert "127.0.0.1" in sentence


class RefusingSocket:
    """A socket that the kernel refuses to bind."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def bind(self, _address: tuple[str, int]) -> None:
        """Refuse."""
        raise self._error


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (13, "port 500 may be opened by root alone; start as root, or give a port from 1024 up"),
        (97, "192.0.2.1:500 cannot be opened: Address family not supported by protocol"),
    ],
)
def test_refusal_of_the_kernel_is_said_with_its_key(
    monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    """Tests run as root, who may open everything."""
    refusing = RefusingSocket(OSError(number, os.strerror(number)))
    monkeypatch.setattr(socket, "socket", lambda *_: refusing)

    assert busy([Listener("udp", ip_address("192.0.2.1"), 500)]) == (f"listen.udp: {sentence}",)


def test_holder_that_may_not_be_seen_is_said_so(
    monkeypatch: pytest.MonkeyPatch, taken: Listener
) -> None:
    """An ordinary user sees sockets of others without their process."""
    local = SimpleNamespace(ip="127.0.0.1", port=taken.port)
    sockets = [SimpleNamespace(laddr=local, pid=None), SimpleNamespace(laddr=(), pid=1)]
    monkeypatch.setattr(psutil, "net_connections", lambda _kind: sockets)

    (sentence,) = busy([taken])

    assert "is taken by a process that only root may see; stop that" in sentence


def test_holder_that_has_just_ended_is_no_error(
    monkeypatch: pytest.MonkeyPatch, taken: Listener
) -> None:
    """Between two looks at /proc."""

    def gone(_kind: str) -> list[object]:
        raise psutil.NoSuchProcess(1)

    monkeypatch.setattr(psutil, "net_connections", gone)

    assert len(busy([taken])) == 1


def test_command_starts_without_the_list_of_processes() -> None:
    """Where a service may not see other processes, psutil complains when it is imported."""
    look = "import sys, inline_proxy.cli; print('psutil' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"
