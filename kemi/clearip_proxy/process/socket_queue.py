"""What waits in the UDP sockets of this network namespace, as Linux tells it (proc(5))."""

from collections.abc import Iterable
from pathlib import Path

TABLES = (Path("/proc/self/net/udp"), Path("/proc/self/net/udp6"))


def fullest_queue_bytes(tables: Iterable[str], ports: frozenset[int]) -> int:
    """Return how much waits in the fullest of the sockets that are bound to one of the ports."""
    sockets = (line.split() for table in tables for line in table.splitlines()[1:])
    return max(
        (
            int(fields[4].partition(":")[2], 16)
            for fields in sockets
            if int(fields[1].rpartition(":")[2], 16) in ports
        ),
        default=0,
    )


def udp_tables() -> list[str]:
    """Read the tables; a host without IPv6 has one."""
    return [table.read_text() for table in TABLES if table.exists()]
