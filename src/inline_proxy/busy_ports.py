"""Which sockets somebody else holds already, and who."""

import socket
from collections.abc import Iterable, Iterator

import psutil

from inline_proxy.listeners import Listener


def busy(listeners: Iterable[Listener]) -> Iterator[str]:
    """Yield a sentence for every listener whose socket cannot be opened."""
    for listener in listeners:
        reason = _refusal(listener)
        if reason is not None:
            key = f"listen.{listener.transport}"
            yield f"{key}: {listener.host_port} cannot be opened ({reason}){_holder(listener)}"


def _refusal(listener: Listener) -> str | None:
    family = socket.AF_INET if listener.address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    kind = socket.SOCK_DGRAM if listener.transport == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as attempt:
        if kind == socket.SOCK_STREAM:
            # Connections of a proxy that has just ended linger, and do not stop Kamailio.
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((str(listener.address), listener.port))
        except OSError as error:
            return error.strerror
    return None


def _holder(listener: Listener) -> str:
    """Name the process that holds the port, where this process may know it."""
    kind = "udp" if listener.transport == "udp" else "tcp"
    try:
        for connection in psutil.net_connections(kind):
            if connection.laddr and connection.laddr.port == listener.port and connection.pid:
                name = psutil.Process(connection.pid).name()
                return f": {name} (pid {connection.pid}) holds it; stop it or choose another port"
    except psutil.Error:
        pass
    return "; choose another port or address"
