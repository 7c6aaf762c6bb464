"""Large pages for what a process has written itself (docs/adr/0036).

A callback finds little of what it touches in the caches, and each page of 4 KiB that it touches
must be looked up as well; in a virtual machine that look-up is a walk through two tables.
"""

import ctypes
from pathlib import Path

PAGE = 2 * 1024 * 1024
"""Bytes of a large page on every machine that Debian's Kamailio runs on with pages of 4 KiB."""
COLLAPSE = 25
"""`MADV_COLLAPSE` of madvise(2), since Linux 6.1; Python has no name for it."""
_OWN = {"", "[heap]"}
_MAPS = Path("/proc/self/maps")


def use_large_pages(maps: Path = _MAPS) -> int:
    """Ask the kernel for large pages, once it is too late to share; return how many it has made.

    A kernel that does not know the request, or has no such page left, refuses: all stays as it was.
    """
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
    areas = [area for line in maps.read_text().splitlines() for area in _area(line)]
    return sum(size // PAGE for start, size in areas if madvise(start, size, COLLAPSE) == 0)


def _area(line: str) -> list[tuple[int, int]]:
    """Return start and size of the whole large pages in a mapping that is the process's own."""
    addresses, permissions, _, _, _, *name = line.split(maxsplit=5)
    if permissions != "rw-p" or "".join(name).strip() not in _OWN:
        return []
    first, last = (int(address, 16) for address in addresses.split("-"))
    start = -(-first // PAGE) * PAGE
    size = (last - start) // PAGE * PAGE
    return [(start, size)] if size > 0 else []
