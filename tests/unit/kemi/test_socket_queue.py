"""What waits in UDP sockets, of those that this process has."""

import os
import socket
from contextlib import closing

import pytest

from clearip_proxy.process.socket_queue import UdpQueues
from sipp import udp_tables


def test_datagram_that_nobody_reads_is_seen() -> None:
    """As the kernel's table has it, and in the fullest of several sockets."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for each in (reader, other):
            each.bind(("127.0.0.1", 0))
        port = reader.getsockname()[1]
        with closing(UdpQueues(frozenset({port, other.getsockname()[1]}))) as queues:
            assert (len(queues), queues.fullest_bytes()) == (2, 0)
            other.sendto(os.urandom(1000), reader.getsockname())

            assert queues.fullest_bytes() == udp_tables.fullest_queue_bytes(port) >= 1000


@pytest.mark.parametrize("blocking", [True, False])
def test_only_udp_sockets_of_the_ports_are_found_and_stay_as_they_are(*, blocking: bool) -> None:
    """Of both versions of IP; a copy that is given up closes nothing."""
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as reader,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as of_another_port,
    ):
        reader.bind(("::1", 0))
        port = reader.getsockname()[1]
        listener.bind(("127.0.0.1", port))
        of_another_port.bind(("127.0.0.1", 0))
        os.set_blocking(reader.fileno(), blocking)

        with closing(UdpQueues(frozenset({port}))) as queues:
            assert len(queues) == 1

        assert reader.getsockname()[1] == port
        assert os.get_blocking(reader.fileno()) is blocking


def test_without_sockets_nothing_waits() -> None:
    """Where a configuration has no UDP."""
    assert UdpQueues(frozenset()).fullest_bytes() == 0
