"""Memory that calls share, mapped before the calls come (docs/adr/0052).

Kamailio's shared memory is made when it starts, and a page of it appears in a process when that
process first touches it. Each call would meet some that are new to its worker, a dozen faults,
until all of the memory has been in use once.
"""

import ctypes
from pathlib import Path

POPULATE_WRITE = 23
"""`MADV_POPULATE_WRITE` of madvise(2), since Linux 5.14; Python has no name for it."""
CLAIMED = 128 * 1024 * 1024
"""Bytes: some 5,000 calls at one time. Beyond them faults are few for each call again."""
_MAPS = Path("/proc/self/maps")


def claim_shared_memory(maps: Path = _MAPS, claimed: int = CLAIMED) -> bool:
    """Map the beginning of Kamailio's shared memory, which its allocator gives out first.

    A kernel that does not know the request refuses, and so does one that has not as much memory
    left: all stays as it was.
    """
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
    areas = map(_area, maps.read_text().splitlines())
    largest, start = max(areas, default=(0, 0))
    return largest >= claimed and bool(madvise(start, claimed, POPULATE_WRITE) == 0)


def _area(line: str) -> tuple[int, int]:
    """Return size and start of a mapping that is shared for writing; zeros for any other."""
    addresses, permissions, *_ = line.split(maxsplit=2)
    if permissions != "rw-s":
        return 0, 0
    first, last = (int(address, 16) for address in addresses.split("-"))
    return last - first, first
