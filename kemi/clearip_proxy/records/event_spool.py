"""The spool: where all of Kamailio's processes note what happens to calls.

Every second has files of its own, named after the number of their slice of time: in memory one of
each process (`event_memory.py`), and on the disk one that all share, for what memory does not take.
A reader takes them all in the order of their events, and deletes what it has read. Nothing waits
for a reader, and nothing is lost when it ends.
"""

import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from clearip_proxy.records.event_memory import SUFFIX, EventMemory

MAX_BYTES = 512 * 1024 * 1024
"""What may lie in the spool unread; beyond it the oldest slices are thrown away."""
SLICE_US = 1_000_000
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
    """The writing end, one in each process.

    A line begins with the time of day, which is read once in a slice: it is `epoch_us` until the
    monotonic clock shows `until_us`, and then what `turn` returns.
    """

    def __init__(
        self,
        directory: Path,
        memory: Path | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        """Without a directory in `memory`, all of it goes to the disk.

        `on_lost` is called for what cannot be written; without it that is an error.
        """
        self.epoch_us = 0
        """What makes microseconds since 1970 of those on the monotonic clock."""
        self.until_us = 0
        self._process = ""
        """Four digits that tell this process from the others."""
        self.directory = directory
        """On the disk."""
        self._memory = EventMemory(memory) if memory is not None else None
        self._on_lost = on_lost
        self._number = 0
        """Of the slice."""
        self._takes_memory = False
        self._page: mmap.mmap
        self._at = self._room = 0
        self._slice = -1
        self._file = -1
        self._is_torn = False

    def turn(self, clock_us: int) -> int:
        """Begin the slice that a moment on the monotonic clock is in; return its `epoch_us`."""
        at_us = time.time_ns() // 1000
        self._number, within_us = divmod(at_us, SLICE_US)
        self.until_us = clock_us + SLICE_US - within_us
        self.epoch_us = at_us - clock_us
        self._process = f"{os.getpid() & 0xFFFF:04x}"
        self._takes_memory = self._memory is not None
        self._at = self._room = 0
        return self.epoch_us

    def new_call_id(self, clock_us: int) -> str:
        """Return an id that no other call attempt on this machine has had.

        It is told at another moment than the calls before it. `epoch_us` is that moment's then.
        """
        epoch_us = self.epoch_us if clock_us < self.until_us else self.turn(clock_us)
        return f"{epoch_us + clock_us:x}{self._process}"

    def write(self, text: str, clock_us: int) -> None:
        """Append whole lines of ASCII that are told at a moment on the monotonic clock.

        Raises `OSError` when that cannot be done, and nobody is to be told of it.
        """
        at = self._at
        end = at + len(text)
        if clock_us < self.until_us and end <= self._room:
            self._page[at:end] = text.encode()
            self._at = end
        else:
            self._write_elsewhere(text.encode("ascii"), clock_us)

    def _write_elsewhere(self, data: bytes, clock_us: int) -> None:
        """Write what begins another file in memory, or what goes to the disk."""
        if clock_us >= self.until_us:
            self.turn(clock_us)
        try:
            if not self._begins_page(data):
                self._append(self._number, data)
        except OSError:
            if self._on_lost is None:
                raise
            self._on_lost()

    def _begins_page(self, data: bytes) -> bool:
        """Begin a file in memory; False once it has taken nothing more in this slice."""
        if self._memory is None or not self._takes_memory:
            return False
        self._at = self._room = 0
        try:
            self._page = self._memory.begin(self._number, len(data))
        except OSError:
            self._takes_memory = False
            return False
        self._page[: len(data)] = data
        self._at, self._room = len(data), len(self._page)
        return True

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
        path = slice_file(self.directory, number)
        try:
            self._file = os.open(path, _FLAGS, _PRIVATE_FILE)
        except FileNotFoundError:
            self.directory.mkdir(_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
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
