"""Whether a host takes TCP connections. Blocking: for processes that carry no other call."""

import socket

PROBE_TIMEOUT_S = 1.0
"""Where nothing comes back at all; a host that is there answers or refuses far sooner."""


def takes_tcp(host: str, port: int, time_left_s: float) -> bool:
    """Tell whether a connection can be opened; what refuses and what stays silent does not."""
    try:
        with socket.create_connection((host, port), min(time_left_s, PROBE_TIMEOUT_S)):
            return True
    except OSError:
        return False
