"""The spool: where all of Kamailio's processes note what happens to calls.

Every second has files of its own, named after the number of their slice of time: in memory one of
each process (`event_memory.py`), and on the disk one that all share, for what memory does not take.
A reader takes them all in the order of their events, and deletes what it has read. Nothing waits
for a reader, and nothing is lost when it ends.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

from clearip_proxy.records.event_memory import SUFFIX, EventMemory

MAX_BYTES = 512 * 1024 * 1024
"""What may lie in the spool unread; beyond it the oldest slices are thrown away."""
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_PRIVATE_FILE, _PRIVATE_DIRECTORY = 0o600, 0o700


class Dropped(NamedTuple):
    """What was thrown away unread."""

    files: int
    size_bytes: int


def slice_file(directory: Path, number: int) -> Path:
    """Return the file of a slice; names sort as times do."""
    return directory / f"{number:012d}{SUFFIX}"


class EventSpool:
    """The writing end, one in each process."""

    def __init__(self, directory: Path, memory: Path | None = None) -> None:
        """Without a directory in `memory`, all of it goes to the disk."""
        self._directory = directory
        self._memory = EventMemory(memory) if memory is not None else None
        self._full_in = -1
        """The slice in which memory took nothing more."""
        self._slice = -1
        self._file = -1
        self._is_torn = False

    def write(self, text: str) -> None:
        """Append whole lines of ASCII; raises `OSError` when that cannot be done."""
        number = int(time.time())
        data = text.encode("ascii")
        if self._memory is not None and number != self._full_in:
            try:
                self._memory.write(number, data)
            except OSError:
                self._full_in = number
            else:
                return
        self._append(number, data)

    def _append(self, number: int, data: bytes) -> None:
        """Write to the disk; a line that it has cut short is ended before the next one."""
        if number != self._slice:
            self._open(number)
        if self._is_torn:
            data = b"\n" + data
        written = os.write(self._file, data)
        self._is_torn = written < len(data)
        if self._is_torn:
            raise OSError("written in part")

    def _open(self, number: int) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file, self._slice = -1, -1
        path = slice_file(self._directory, number)
        try:
            self._file = os.open(path, _FLAGS, _PRIVATE_FILE)
        except FileNotFoundError:
            self._directory.mkdir(_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            self._file = os.open(path, _FLAGS, _PRIVATE_FILE)
        self._slice = number


def drop_oldest(directory: Path, max_bytes: int = MAX_BYTES) -> Dropped:
    """Keep a spool that nobody reads within its bound; raises `OSError`."""
    sizes = {path: path.stat().st_size for path in sorted(directory.glob(f"*{SUFFIX}"))}
    excess = sum(sizes.values()) - max_bytes
    files = dropped = 0
    for path, size in list(sizes.items())[:-1]:
        if dropped >= excess:
            break
        path.unlink()
        files, dropped = files + 1, dropped + size
    return Dropped(files, dropped)
