"""Hosts with networks of their own, joined by a wire: what leaves one is a real packet."""

import ctypes
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from sipp.network import CLONE_NEWNET

Result = TypeVar("Result")
PATIENCE_S = 10


class Host:
    """A network namespace, kept by a descriptor; nothing of it is left when that is closed."""

    def __init__(self) -> None:
        self._descriptor = _in_thread(_new_network)
        self.run("ip", "link", "set", "lo", "up")

    @property
    def path(self) -> str:
        """Where other programs find it."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def run(self, *command: str, given: str = "", check: bool = True) -> str:
        """Run a program there to its end; return what it said.

        Raises `AssertionError` with what it complained of.
        """
        ended = subprocess.run(
            ["nsenter", f"--net={self.path}", *command],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert ended.returncode == 0 or not check, f"{command}: {ended.stderr}"
        return ended.stdout

    def call(self, function: Callable[[], Result]) -> Result:
        """Call a function there; the sockets that it opens stay there."""

        def entered() -> Result:
            _enter(self._descriptor)
            return function()

        return _in_thread(entered)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What is started in the block is started there, threads too."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _enter(self._descriptor)
        try:
            yield
        finally:
            _enter(home)
            os.close(home)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


class OwnHost(Host):
    """The network namespace that the tests run in."""

    def __init__(self) -> None:
        self._descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def join(one: Host, other: Host) -> None:
    """Lay a wire between two hosts: `eth0` on both."""
    wire = ("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0")
    one.run(*wire, "netns", other.path)
    for host in (one, other):
        host.run("ip", "link", "set", "eth0", "up")


def part(host: Host) -> None:
    """Take the wire away, both ends. The kernel would do it some time after a host is let go of."""
    host.run("ip", "link", "delete", "eth0")


def reachable(host: Host, address: str, *networks: str) -> None:
    """Give a host an address, and the wire as the way to networks."""
    family, length = ("-6", "128") if ":" in address else ("-4", "32")
    # Nobody else is on the wire: no need to wait until an IPv6 address is known to be unique.
    options = ("nodad",) if family == "-6" else ()
    host.run("ip", family, "addr", "add", f"{address}/{length}", "dev", "eth0", *options)
    for network in networks:
        host.run("ip", family, "route", "replace", network, "dev", "eth0")


def udp_socket(address: str, port: int = 0) -> socket.socket:
    """A UDP socket that does not wait for long."""
    return _bound(socket.SOCK_DGRAM, address, port)


def tcp_socket(address: str, port: int = 0) -> socket.socket:
    """A TCP socket that neither listens nor is connected yet."""
    return _bound(socket.SOCK_STREAM, address, port)


def _bound(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, kind)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.settimeout(PATIENCE_S)
    opened.bind((address, port))
    return opened


def _new_network() -> int:
    _checked(_LIBC.unshare(CLONE_NEWNET))
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _enter(descriptor: int) -> None:
    _checked(_LIBC.setns(descriptor, CLONE_NEWNET))


_LIBC = ctypes.CDLL(None, use_errno=True)


def _checked(returned: int) -> None:
    if returned != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _in_thread(function: Callable[[], Result]) -> Result:
    """Only the thread changes its namespace, and it ends."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(function).result(PATIENCE_S)
