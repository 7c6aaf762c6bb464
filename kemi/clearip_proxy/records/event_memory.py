"""Files in memory that a process writes to without a system call, and whoever reads them finds.

A line costs a copy into memory that is mapped, in place of a `write` to a file that all processes
share. So each process has files of its own: the line that it is at ends where the zeros begin.
They live on a file system in memory, each claimed in full when it is made: nothing that happens to
a disk later can keep a line from being written, or end the process that writes it (docs/adr/0050).
"""

import errno
import itertools
import mmap
import os
from pathlib import Path

SUFFIX = ".events"
FILE_BYTES = 256 * 1024
MOST_FILES = 128
"""32 MB; with so many there nobody reads them."""
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_PRIVATE_FILE, _PRIVATE_DIRECTORY = 0o600, 0o700
_files = itertools.count(1)
"""Those that this process makes have numbers of their own, whoever makes them."""


class EventMemory:
    """The files of one process, of which it writes to the last."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: mmap.mmap | None = None

    def begin(self, number: int, least_bytes: int) -> mmap.mmap:
        """Make another file, for a slice of time, and give up the one before.

        Raises `OSError` when there is no room, or no directory that can be written to.
        """
        if self._file is not None:
            self._file.close()
            self._file = None
        size = -(-max(FILE_BYTES, least_bytes) // mmap.PAGESIZE) * mmap.PAGESIZE
        self._file = self._made(number, size)
        return self._file

    def _made(self, number: int, size: int) -> mmap.mmap:
        self._directory.mkdir(_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        if sum(1 for _ in self._directory.iterdir()) >= MOST_FILES:
            raise OSError(errno.ENOSPC, "nobody reads what lies in", str(self._directory))
        path = self._directory / f"{number:012d}-{os.getpid()}-{next(_files):06d}{SUFFIX}"
        descriptor = os.open(path, _FLAGS, _PRIVATE_FILE)
        try:
            os.posix_fallocate(descriptor, 0, size)
            return mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(descriptor)
