"""Questions and orders to a running Kamailio: JSON-RPC 2.0 over its control socket.

Kamailio's jsonrpcs module takes one datagram per request and sends the response to the
requester's own socket, from a socket that nobody can connect to. So the requester's address is
one of Linux's abstract ones, and a response counts only with the id of its request, which
nobody else can know.
"""

import json
import secrets
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT_S = 2.0
LARGEST_RESPONSE = 65_536
"""Bytes; Kamailio sends no more in a datagram."""


class KamailioUnreachable(ConnectionError):
    """No Kamailio answers on the control socket; the text names the socket and the reason."""


class RpcRefused(RuntimeError):
    """Kamailio has answered that it cannot do what was asked; the text says why."""


class KamailioRpc:
    """Calls the RPC methods of one Kamailio; may be used from several threads."""

    def __init__(self, control_socket: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._address = str(control_socket)
        self._timeout_s = timeout_s

    def call(self, method: str, *parameters: str | int) -> Any:  # noqa: ANN401 - as JSON holds it
        """Return the result of a method, such as `core.shmmem` or `tls.reload`.

        Raises `KamailioUnreachable` and `RpcRefused`.
        """
        identity = secrets.token_hex(16)
        request = {"jsonrpc": "2.0", "method": method, "params": parameters, "id": identity}
        try:
            response = self._exchange(json.dumps(request).encode(), identity)
        except OSError as error:
            reason = error.strerror or "no answer in time"
            raise KamailioUnreachable(f"{self._address}: {reason}") from error
        return _result(method, response)

    def _exchange(self, request: bytes, identity: str) -> Mapping[str, Any]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
            own.bind("")  # Linux chooses an abstract address, of which no file is left behind
            own.settimeout(self._timeout_s)
            own.sendto(request, self._address)
            ends = time.monotonic() + self._timeout_s
            while (left := ends - time.monotonic()) > 0:
                own.settimeout(left)
                response = _parsed(own.recv(LARGEST_RESPONSE))
                if response.get("id") == identity:
                    return response
        raise TimeoutError


def _parsed(datagram: bytes) -> Mapping[str, Any]:
    """Read a response; nothing of what is none."""
    try:
        response = json.loads(datagram.decode(errors="replace"), strict=False)
    except ValueError:
        return {}
    return response if isinstance(response, dict) else {}


def _result(method: str, response: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as JSON holds it
    error = response.get("error")
    if error is None:
        return response.get("result")
    message = error.get("message") if isinstance(error, dict) else error
    raise RpcRefused(f"{method}: {message}")
