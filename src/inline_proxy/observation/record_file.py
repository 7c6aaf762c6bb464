"""`calls.jsonl`: one line per call attempt, rotated, and no line twice after a crash."""

import errno
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from inline_proxy.observation.call_record import Record, RecordLine

FILE_NAME: Final = "calls.jsonl"
PRIVATE_FILE: Final = 0o640
BYTES_PER_MB: Final = 1_000_000


class RecordFile:
    """Appends records; the one writer of its file."""

    def __init__(self, path: Path, rotate_mb: int, keep_files: int) -> None:
        self._path = path
        self._largest = rotate_mb * BYTES_PER_MB
        self._keep_files = keep_files
        self._written_before: set[str] = set()

    @property
    def size_bytes(self) -> int:
        """How large the file is."""
        return self._path.stat().st_size if self._path.exists() else 0

    def skip_known_after(self, offset: int) -> None:
        """Write no record again that stands behind an offset: a reader has crashed after it."""
        if self.size_bytes <= offset:
            return
        with self._path.open("rb") as file:
            file.seek(offset)
            self._written_before = {record["id"] for record in records_in(file)}

    def append(self, lines: list[RecordLine]) -> None:
        """Write records with one system call; raises `OSError` when not all of it was taken."""
        fresh = [line.text for line in lines if line.id not in self._written_before]
        if not fresh:
            return
        data = "".join(fresh).encode()
        before = self.size_bytes
        with open(self._path, "ab", buffering=0, opener=_private) as file:
            if file.write(data) != len(data):
                file.truncate(before)  # all of it is written again later
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def rotate(self) -> bool:
        """Begin a new file when this one is large enough; True when that was done."""
        if self.size_bytes < self._largest:
            return False
        self._written_before = set()
        for number in range(self._keep_files - 1, 0, -1):
            older = self._numbered(number)
            newer = self._path if number == 1 else self._numbered(number - 1)
            if newer.exists():
                newer.replace(older)
        if self._path.exists():  # only one file is kept
            self._path.unlink()
        return True

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


def files_of(path: Path) -> list[Path]:
    """Return the files of all records, the oldest first."""
    rotated = [
        (int(each.suffix[1:]), each)
        for each in path.parent.glob(f"{path.name}.*")
        if each.suffix[1:].isdigit()
    ]
    return [each for _, each in sorted(rotated, reverse=True)] + ([path] if path.exists() else [])


def records_in(lines: Iterable[bytes]) -> Iterator[Record]:
    """Yield the records of a file; a line that is none is passed over."""
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "id" in record:
            yield record
