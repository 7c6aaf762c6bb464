"""Whether a host takes TCP connections."""

import socket
import time

from clearip_proxy.location.tcp_probe import PROBE_TIMEOUT_S, takes_tcp


def test_listening_host_takes_tcp() -> None:
    """Opening and closing a connection does no harm."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert takes_tcp("127.0.0.1", server.getsockname()[1], 1.0)


def test_refusing_host_takes_none() -> None:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert not takes_tcp("127.0.0.1", port, 1.0)


def test_silent_host_costs_no_more_than_the_time_left() -> None:
    """A full queue of connections is silent like a packet filter."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        with socket.create_connection(address):
            before_s = time.monotonic()

            assert not takes_tcp(address[0], address[1], 0.1)
            assert time.monotonic() - before_s < PROBE_TIMEOUT_S / 2
