"""Whether a host takes TCP connections."""

import socket

from clearip_proxy.tcp_probe import takes_tcp


def test_listening_host_takes_tcp() -> None:
    """Opening and closing a connection does no harm."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert takes_tcp("127.0.0.1", server.getsockname()[1])


def test_refusing_host_takes_none() -> None:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert not takes_tcp("127.0.0.1", port)
