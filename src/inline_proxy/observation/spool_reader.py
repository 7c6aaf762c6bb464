"""The reading end of the spool: events in order, each once, from wherever it was left."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

SLICE_S: Final = 10
SUFFIX: Final = ".events"
KEPT_SLICES: Final = 2
"""A file that has been read is deleted when this many slices have begun after it."""
MOST_AT_ONCE: Final = 4 * 1024 * 1024
"""Bytes read in one go, so that a long absence is made up for piece by piece."""


Line = list[Any]
"""What one callback of Kamailio's has told: the id of the call attempt (an empty one where it is
about none), what makes microseconds since 1970 of those on the monotonic clock, and events."""
SHORTEST: Final = 3
"""Values of a line."""


class Position(NamedTuple):
    """How far the spool has been read."""

    file: str = ""
    offset: int = 0


class SpoolReader:
    """Reads the files of a spool in the order of their names."""

    def __init__(
        self,
        directory: Path,
        position: Position = Position(),  # noqa: B008 - immutable
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._unix_s = unix_s
        self._offsets = {position.file: position.offset} if position.file else {}
        self._from = position.file
        self.malformed = 0
        """Lines that were no event: what a full disk has cut short."""
        self.has_more = False
        """Whether the last reading has left something, because it was enough for one go."""

    @property
    def position(self) -> Position:
        """Where the next reader goes on."""
        if not self._offsets:
            return Position(self._from)
        last = max(self._offsets)
        return Position(last, self._offsets[last])

    def read(self) -> Iterator[Line]:
        """Yield the lines that have come since; a directory that is not there yet holds none."""
        self.has_more = False
        budget = MOST_AT_ONCE
        for path in sorted(self._directory.glob(f"*{SUFFIX}")):
            if path.name < self._from and path.name not in self._offsets:
                continue
            lines = self._new_lines(path, budget)
            yield from self._parsed(lines)
            budget -= len(lines)
            if self.has_more:  # what is later must not be read before it
                return

    def forget_read(self) -> None:
        """Delete the files that have been read and will not grow any more."""
        oldest = f"{int(self._unix_s()) // SLICE_S - KEPT_SLICES:012d}"
        for path in sorted(self._directory.glob(f"*{SUFFIX}")):
            read = self._offsets.get(path.name, -1)
            if path.name < oldest and read >= path.stat().st_size:
                path.unlink()
                del self._offsets[path.name]
                self._from = max(self._from, path.name)

    def _new_lines(self, path: Path, budget: int) -> bytes:
        """Return whole lines alone: what stands after the last line end is still being written."""
        offset = self._offsets.get(path.name, 0)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read(budget)
        except FileNotFoundError:  # the writing side keeps its bound
            return b""
        self.has_more = len(data) == budget
        whole = data[: data.rfind(b"\n") + 1]
        self._offsets[path.name] = offset + len(whole)
        return whole

    def _parsed(self, lines: bytes) -> list[Line]:
        decoded = _decoded(lines.split(b"\n")[:-1], has_surrogates=b"\\ud" in lines)
        parsed = [line for line in decoded if type(line) is list and len(line) >= SHORTEST]
        self.malformed += len(decoded) - len(parsed)
        return parsed


def _decoded(lines: list[bytes], *, has_surrogates: bool) -> list[object]:
    """Return what the lines hold; None for one that is no JSON.

    All of them are read in one go, which costs a third; one by one where that does not work out.
    """
    if not has_surrogates:
        with suppress(ValueError):
            whole: list[object] = json.loads(b"[" + b",".join(lines) + b"]")
            if len(whole) == len(lines):
                return whole
    return [_decoded_line(line) for line in lines if line]


def _decoded_line(line: bytes) -> object:
    try:
        told: object = json.loads(line)
    except ValueError:
        return None
    return _as_text(told) if b"\\ud" in line else told


def _as_text(told: object) -> object:
    """Replace lone surrogates, which stand for bytes that were no UTF-8, by question marks."""
    replaced: object = json.loads(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))
    return replaced
