"""Servers that take connections at a site's port, and are no ClearIP: not even TLS."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from inline_proxy.lab.server import LINGER_FOR_RESET
from sipp.clearip import HOST

Conduct = Literal["resets after the ClientHello", "never says anything"]
FIRST_BYTES = 64


class MuteServer:
    """Accepts every connection and does one thing with it."""

    def __init__(self, port: int, conduct: Conduct) -> None:
        self.accepted: list[socket.socket] = []
        """The connections so far."""
        self._conduct = conduct
        self._listening = socket.create_server((HOST, port))
        self._thread = threading.Thread(target=self._serve, name="mute-server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and end what is still open."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for each in (self._listening, *self.accepted):
            each.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # closed
            self.accepted.append(connection)
            if self._conduct == "resets after the ClientHello":
                connection.recv(FIRST_BYTES)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_FOR_RESET)
                connection.close()


@contextmanager
def mute_server(port: int, conduct: Conduct) -> Iterator[MuteServer]:
    """Run such a server."""
    server = MuteServer(port, conduct)
    try:
        yield server
    finally:
        server.close()
