"""Large pages: asked for where a process has memory of its own, and nowhere else."""

import mmap
from pathlib import Path

from clearip_proxy.process.large_pages import PAGE, use_large_pages

NOWHERE = 1 << 45


def maps(directory: Path, *lines: str) -> Path:
    """Write what the kernel would say of a process's memory."""
    path = directory / "maps"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_memory_survives_being_moved(tmp_path: Path) -> None:
    """Whether the kernel makes a large page or refuses."""
    own = mmap.mmap(-1, 4 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    own[:] = bytes(range(256)) * (4 * PAGE // 256)
    lines = Path("/proc/self/maps").read_text().splitlines()

    made = use_large_pages(maps(tmp_path, *lines))

    assert own[:] == bytes(range(256)) * (4 * PAGE // 256)
    assert 0 <= made < 1_000_000
    own.close()


def test_memory_of_others_is_left_alone(tmp_path: Path) -> None:
    """Shared memory, files, code; and what holds no whole page."""
    end = NOWHERE + 8 * PAGE
    said = maps(
        tmp_path,
        f"{NOWHERE:x}-{end:x} rw-s 00000000 00:01 5 /dev/zero (deleted)",
        f"{NOWHERE:x}-{end:x} r-xp 00000000 00:01 5 /usr/lib/libpython3.so",
        f"{NOWHERE:x}-{end:x} rw-p 00000000 00:01 5 /usr/lib/libpython3.so",
        f"{NOWHERE + 1:x}-{NOWHERE + PAGE:x} rw-p 00000000 00:00 0 ",
    )

    assert use_large_pages(said) == 0


def test_refusal_changes_nothing(tmp_path: Path) -> None:
    """As an older kernel's is: there is no memory at this address."""
    line = f"{NOWHERE:x}-{NOWHERE + PAGE:x} rw-p 00000000 00:00 0 [heap]"

    assert use_large_pages(maps(tmp_path, line)) == 0
