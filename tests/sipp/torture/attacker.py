"""Sends messages as fast as they are taken, over every transport, and looks at no answer."""

import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Self

from sipp.hosts import tcp_socket, udp_socket
from sipp.place import Place
from sipp.raw_request import LARGEST, ask, request
from sipp.tls_bridge import trusting

BATCH = 50
"""Messages between two questions whether the proxy is still there."""
PER_CONNECTION = 20
PATIENCE_S = 10
Next = Callable[[str], bytes]


class Attacker:
    """A trusted switch that has gone mad."""

    def __init__(self, address: str, number: str) -> None:
        self._address = address
        self._number = number
        self._opened = ExitStack()
        self._udp = self._opened.enter_context(udp_socket(address, 5060))
        self.sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def over_udp(self, proxy: Place, count: int, next_message: Next) -> None:
        """Send datagrams; after each batch every worker must have had the time to read it."""
        for position in range(count):
            with suppress(OSError):  # a port of the proxy's was closed: the question finds out
                self._udp.sendto(next_message(f"{self._address}:5060"), proxy.endpoint)
            self.sent += 1
            if position % BATCH == BATCH - 1:
                self._forget_answers()
                self.prove_answered(proxy)

    def over_streams(self, proxy: Place, count: int, next_message: Next) -> None:
        """Send over connections that the proxy may close whenever it has heard enough."""
        left = count
        while left > 0:
            now = min(left, PER_CONNECTION)
            with self._connection(proxy) as stream, suppress(OSError):
                for _ in range(now):
                    stream.sendall(next_message(f"{self._address}:5060"))
                    self._read_away(stream)
            left -= now
            self.sent += now

    def prove_answered(self, proxy: Place) -> None:
        """A good request is answered."""
        assert ask(proxy, request("OPTIONS", self._number, proxy)).status == 200

    def _connection(self, proxy: Place) -> socket.socket:
        stream = tcp_socket(self._address)
        stream.settimeout(PATIENCE_S)
        stream.connect(proxy.endpoint)
        return trusting().wrap_socket(stream) if proxy.transport == "tls" else stream

    def _read_away(self, stream: socket.socket) -> None:
        stream.settimeout(0)
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            while stream.recv(LARGEST):
                pass
        stream.settimeout(PATIENCE_S)

    def _forget_answers(self) -> None:
        self._udp.settimeout(0)
        with suppress(BlockingIOError):
            while self._udp.recv(LARGEST):
                pass
        self._udp.settimeout(PATIENCE_S)
