"""The packet filter with real packets: a source that takes too much is cut, and no other."""

import socket
import time
from contextlib import suppress
from dataclasses import dataclass

import pytest

from sipp.hosts import reachable, tcp_socket
from sipp.waiting import wait_until
from sipp.wire import CARRIER, CARRIER_IPV6, PROXY, PROXY_IPV6, SWITCH, SWITCH_IPV6, TRUSTED, Wire

IPV4, IPV6 = (PROXY, SWITCH), (PROXY_IPV6, SWITCH_IPV6)


def test_one_source_that_connects_too_fast_is_slowed_and_no_other(wire: Wire) -> None:
    """Twice the rate at once, and the rate from then on."""
    wire.load(TRUSTED + "packet_filter: {max_connection_rate: 2}\n")
    wire.listening()

    opened = [wire.gets_through(SWITCH) for _ in range(6)]

    assert opened[:4] == [True] * 4
    assert not all(opened)
    assert wire.counted("opened_too_fast") > 0
    reachable(wire.outside, "10.1.0.3", "192.0.2.0/24")
    assert wire.gets_through("10.1.0.3")


@pytest.mark.parametrize(
    ("proxy", "switch", "other"),
    [(*IPV4, CARRIER), (*IPV6, CARRIER_IPV6)],
    ids=["ipv4", "ipv6"],
)
def test_one_source_that_sends_without_pause_is_cut_and_no_other(
    wire: Wire, proxy: str, switch: str, other: str
) -> None:
    """As many datagrams as it may send in a second, and few more; another address loses none."""
    wire.load("trusted: ['::/0', 0.0.0.0/0]\npacket_filter: {max_datagram_rate: 20}\n")
    heard = wire.hearing(proxy)

    for _ in range(200):
        wire.says(switch, b"flood", to=proxy)
    for _ in range(10):
        wire.says(other, b"call", to=proxy)

    datagrams = [heard.recv(100)]
    while datagrams.count(b"call") < 10:
        datagrams.append(heard.recv(100))
    assert 20 <= datagrams.count(b"flood") < 100
    assert wire.counted("sent_too_fast") == 200 - datagrams.count(b"flood")


@pytest.mark.parametrize(
    ("proxy", "switch", "other"),
    [(*IPV4, CARRIER), (*IPV6, CARRIER_IPV6)],
    ids=["ipv4", "ipv6"],
)
def test_one_source_that_streams_without_pause_is_slowed_and_no_other(
    wire: Wire, proxy: str, switch: str, other: str
) -> None:
    """Over all its connections together; what it may send arrives, and in the right order."""
    wire.load("trusted: ['::/0', 0.0.0.0/0]\npacket_filter: {max_stream_rate: 100}\n")
    server = wire.listening(proxy)

    flooded = [stream_to(wire, server, switch, proxy) for _ in range(2)]
    quiet = stream_to(wire, server, other, proxy)
    for stream in flooded:
        stream.fill(4_000_000)
    for _ in range(10):
        quiet.sending.sendall(b"call")
        assert quiet.receiving.recv(100) == b"call"

    received = sum(stream.received(for_s=1) for stream in flooded)
    assert wire.counted("streamed_too_fast") > 0
    assert 50_000 < received < 1_000_000


def test_one_source_with_too_many_connections_gets_no_more_until_one_is_closed(wire: Wire) -> None:
    """Idle connections of one source cannot use up the proxy's."""
    wire.load(TRUSTED + "packet_filter: {max_connections: 3}\n")
    server = wire.listening()
    assert all(wire.gets_through(SWITCH) for _ in range(3))

    assert not wire.gets_through(SWITCH)
    assert wire.counted("opened_too_many") > 0
    connection, _ = server.accept()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # by a reset
    connection.close()
    wait_until(lambda: wire.gets_through(SWITCH), "a place is free again")


@dataclass(frozen=True, slots=True)
class Stream:
    """Both ends of a connection to the proxy's host."""

    sending: socket.socket
    receiving: socket.socket

    def fill(self, size: int) -> None:
        """Send as much as is taken at once."""
        self.sending.settimeout(0)
        with suppress(BlockingIOError):
            self.sending.send(b"x" * size)

    def received(self, *, for_s: float) -> int:
        """How many bytes arrive in so long, while more is sent."""
        ends = time.monotonic() + for_s
        count = 0
        while (left := ends - time.monotonic()) > 0:
            self.receiving.settimeout(left)
            with suppress(TimeoutError):
                count += len(self.receiving.recv(65_536))
            self.fill(65_536)
        return count


def stream_to(wire: Wire, server: socket.socket, source: str, proxy: str) -> Stream:
    """Open a connection from outside."""
    sending = wire.open(wire.outside, lambda: tcp_socket(source))
    sending.connect((proxy, 5060))
    receiving, _ = server.accept()
    wire.opened.enter_context(receiving)
    return Stream(sending, receiving)
