"""Shared memory that a process maps before the calls come."""

import ctypes
import mmap
import resource
from pathlib import Path

from clearip_proxy.process.claimed_memory import claim_shared_memory
from unit.kemi.test_large_pages import NOWHERE, maps

SIZE = 64 * mmap.PAGESIZE


def faults() -> int:
    """Return how many pages this process had to be given so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def test_claimed_memory_is_mapped_and_unchanged(tmp_path: Path) -> None:
    """Whoever touches it later causes no fault."""
    shared = mmap.mmap(-1, 2 * SIZE)
    shared[:4] = b"held"
    start = ctypes.addressof(ctypes.c_char.from_buffer(shared))
    said = maps(
        tmp_path,
        f"{start:x}-{start + 2 * SIZE:x} rw-s 00000000 00:01 5 /dev/zero (deleted)",
        f"{NOWHERE:x}-{NOWHERE + SIZE // 2:x} rw-s 00000000 00:01 6 /dev/zero (deleted)",
        f"{NOWHERE:x}-{NOWHERE + 4 * SIZE:x} rw-p 00000000 00:00 0 ",
    )

    assert claim_shared_memory(said, SIZE)

    before = faults()
    for offset in range(0, SIZE, mmap.PAGESIZE):
        shared[offset + 8] = 1
    assert faults() - before < SIZE // mmap.PAGESIZE // 2
    assert shared[:4] == b"held"


def test_memory_that_is_too_small_is_left_alone(tmp_path: Path) -> None:
    """Kamailio's is larger; nothing else that is shared is of any account."""
    said = maps(tmp_path, f"{NOWHERE:x}-{NOWHERE + SIZE:x} rw-s 00000000 00:01 5 /dev/zero")

    assert not claim_shared_memory(said, 2 * SIZE)
    assert not claim_shared_memory(maps(tmp_path))


def test_refusal_changes_nothing(tmp_path: Path) -> None:
    """There is nothing at that address."""
    said = maps(tmp_path, f"{NOWHERE:x}-{NOWHERE + SIZE:x} rw-s 00000000 00:01 5 /dev/zero")

    assert not claim_shared_memory(said, SIZE)
