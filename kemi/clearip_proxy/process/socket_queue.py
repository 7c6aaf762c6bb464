"""What waits in the UDP sockets that Kamailio reads, asked of the kernel for each socket.

Its processes inherit all of its sockets, those too that do not read them. The kernel's tables
(/proc/net/udp) tell the same, for every socket of the host and at a hundred times the cost.
"""

import os
import socket
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

OWN_DESCRIPTORS = Path("/proc/self/fd")
SO_MEMINFO = 55
"""What a socket's buffers hold, since Linux 4.12; Python has no name for it."""
_FAMILIES = {socket.AF_INET, socket.AF_INET6}
RECEIVED = struct.Struct("=I")
"""The first of its numbers: bytes that were received and not read, with the kernel's overhead."""


class UdpQueues:
    """This process's UDP sockets that are bound to one of some ports."""

    def __init__(self, ports: frozenset[int]) -> None:
        self._sockets = list(_udp_sockets(ports))

    def __len__(self) -> int:
        return len(self._sockets)

    def fullest_bytes(self) -> int:
        """Return how much waits in the fullest of them."""
        asked = (
            each.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, RECEIVED.size) for each in self._sockets
        )
        return max((int(RECEIVED.unpack(told)[0]) for told in asked), default=0)

    def close(self) -> None:
        """Let go of them; they stay open for whoever reads them."""
        for each in self._sockets:
            each.close()


def _udp_sockets(ports: frozenset[int]) -> Iterable[socket.socket]:
    # All of them are looked up before the first copy is made, which is one as well.
    for descriptor in [int(each.name) for each in OWN_DESCRIPTORS.iterdir() if _is_socket(each)]:
        # A copy, for Python closes what it holds when that is given up.
        copy = socket.socket(fileno=os.dup(descriptor))
        is_udp = copy.family in _FAMILIES and copy.type == socket.SOCK_DGRAM
        if is_udp and copy.getsockname()[1] in ports:
            yield copy
        else:
            copy.close()


def _is_socket(descriptor: Path) -> bool:
    """Tell what a descriptor is of; that of the listing itself is gone by now, or is none."""
    try:
        return stat.S_ISSOCK(os.fstat(int(descriptor.name)).st_mode)
    except OSError:
        return False
