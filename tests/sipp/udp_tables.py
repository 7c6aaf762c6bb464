"""What waits in the UDP sockets of this network namespace, as Linux lists it (proc(5))."""

from pathlib import Path

TABLES = (Path("/proc/self/net/udp"), Path("/proc/self/net/udp6"))


def fullest_queue_bytes(port: int) -> int:
    """How much waits in the fullest of the sockets that are bound to a port."""
    lines = [line.split() for table in TABLES for line in table.read_text().splitlines()[1:]]
    return max(
        int(fields[4].partition(":")[2], 16)
        for fields in lines
        if int(fields[1].rpartition(":")[2], 16) == port
    )
