"""The calls that wait on a lost connection are told, over a listener of the proxy's own."""

import socket

import pytest

from clearip_proxy.ksr.lost_calls import CallsOfLostConnections
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.location.locating import Address
from clearip_proxy.sites.lost_calls import Waiting, lost
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.test_lost_calls import INVITE

PATIENCE_S = 5


@pytest.fixture
def sites() -> KsrSites:
    """Three queries, of which two wait on the connection 7."""
    sites = KsrSites(FakeKsr())
    for transaction, connection in (("1:1", 7), ("1:2", 8), ("2:1", 7)):
        sites.asks(transaction, Waiting(connection, 1, 1, INVITE))
    return sites


def test_each_call_on_the_connection_is_told_over_udp(sites: KsrSites) -> None:
    """One datagram each, and none for the others."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.settimeout(PATIENCE_S)
        host, port = proxy.getsockname()

        told = CallsOfLostConnections(sites, Address("udp", host, port)).tell(7)
        received = [proxy.recv(65_535).decode() for _ in range(told)]
        proxy.setblocking(False)  # noqa: FBT003 - the socket's own interface

        assert received == [*lost(Waiting(7, 1, 1, INVITE))] * 2
        with pytest.raises(BlockingIOError):
            proxy.recv(1)


def test_calls_are_told_over_tcp_where_there_is_no_udp(sites: KsrSites) -> None:
    """One connection brings all of it."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        host, port = proxy.getsockname()

        told = CallsOfLostConnections(sites, Address("tcp", host, port)).tell(8)
        connection, _ = proxy.accept()
        with connection:
            received = connection.makefile("rb").read().decode()

    assert told == 1
    assert (received,) == lost(Waiting(8, 1, 1, INVITE))


def test_calls_are_counted_where_nobody_can_be_told(sites: KsrSites) -> None:
    """No listener without TLS, or one that takes nothing: they go on when their time is over."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host, port = closed.getsockname()

    assert CallsOfLostConnections(sites, None).tell(7) == 2
    assert CallsOfLostConnections(sites, Address("tcp", host, port)).tell(7) == 2
    assert CallsOfLostConnections(sites, None).tell(9) == 0
