"""Asking a running observer for the status, over its unix socket or over HTTP."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any, Final

STATUS_SOCKET: Final = "status.sock"
PATIENCE_S: Final = 5.0


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        """Open the socket that the path leads to."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(str(self._path))


def ask_socket(runtime: Path) -> dict[str, Any] | None:
    """Return the status; None where no observer answers."""
    return _ask(_UnixConnection(runtime / STATUS_SOCKET))


def ask_http(admin: str) -> dict[str, Any] | None:
    """Return the status that is served at `admin.listen`; None where nobody serves it."""
    return _ask(http.client.HTTPConnection(admin, timeout=PATIENCE_S))


def _ask(connection: http.client.HTTPConnection) -> dict[str, Any] | None:
    try:
        connection.request("GET", "/status.json")
        response = connection.getresponse()
        status = json.loads(response.read()) if response.status == http.HTTPStatus.OK else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return status if isinstance(status, dict) and "health" in status else None
