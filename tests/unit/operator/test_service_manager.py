"""What systemd is told: received as systemd does, on a datagram socket."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from inline_proxy.service_manager import ServiceManager


@pytest.fixture
def notices(tmp_path: Path) -> Iterator[socket.socket]:
    """Where systemd listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(0)
        yield listening


def test_readiness_and_life_are_told(notices: socket.socket) -> None:
    """A datagram for each, in systemd's words."""
    manager = ServiceManager.here({"NOTIFY_SOCKET": notices.getsockname()})

    manager.say_ready()
    manager.say_alive(if_=True)

    assert [notices.recv(99), notices.recv(99)] == [b"READY=1", b"WATCHDOG=1"]


def test_silence_is_kept_about_a_proxy_that_does_not_answer(notices: socket.socket) -> None:
    """Else systemd would never start it again."""
    ServiceManager.here({"NOTIFY_SOCKET": notices.getsockname()}).say_alive(if_=False)

    with pytest.raises(BlockingIOError):
        notices.recv(99)


def test_abstract_address_is_understood() -> None:
    """Systemd writes @ for the NUL that it begins with."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")
        name = listening.getsockname().decode()

        ServiceManager.here({"NOTIFY_SOCKET": name.replace("\0", "@")}).say_ready()

        assert listening.recv(99) == b"READY=1"


def test_nothing_is_told_or_awaited_without_systemd() -> None:
    """On a terminal nobody asks."""
    manager = ServiceManager.here({})

    manager.say_ready()

    assert manager == ServiceManager(None, None)


def test_watchdog_time_is_read_in_seconds() -> None:
    """Systemd gives microseconds."""
    assert ServiceManager.here({"WATCHDOG_USEC": "30000000"}).watchdog_s == 30


def test_systemd_that_is_gone_does_not_end_the_proxy(tmp_path: Path) -> None:
    """Calls matter more than notices."""
    ServiceManager(str(tmp_path / "nobody")).say_ready()
