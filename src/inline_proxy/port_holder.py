"""Which process holds a port of this host."""

from typing import NamedTuple

import psutil

from inline_proxy.listeners import Listener


class PortHolder(NamedTuple):
    """A process, as far as another may know it."""

    name: str
    pid: int
    command: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def port_holder(listener: Listener) -> PortHolder | None:
    """Return the process that holds a listener's port; None where that may not be known."""
    kind = "udp" if listener.transport == "udp" else "tcp"
    holding = {str(listener.address), "0.0.0.0", "::"}  # noqa: S104 - compared, not opened
    try:
        for connection in psutil.net_connections(kind):
            local, pid = connection.laddr, connection.pid
            if local and pid and local.port == listener.port and local.ip in holding:
                process = psutil.Process(pid)
                return PortHolder(process.name(), pid, tuple(process.cmdline()))
    except (psutil.Error, OSError):
        pass
    return None
