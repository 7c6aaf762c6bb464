"""The reading end of the spool: events in order, each once, from wherever it was left.

Every process of Kamailio writes to files of its own, so the order is that of the monotonic clock.
What was told after a reading began is left for the next one: by then nothing can turn up any more
that came before it, for an event is written before anything follows from it.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any, Final

SUFFIX: Final = ".events"
DIGITS: Final = 12
"""Of the slice of time, in seconds, that the name of a file begins with."""
KEPT_US: Final = 3_000_000
"""So long after it was first read a file grows no more: it is written to in one slice of time, a
second. By the monotonic clock, for the other one may be set."""
TORN_AFTER_US: Final = 60_000_000
"""What still has no line end by then was left behind by a process that ended."""
MOST_AT_ONCE: Final = 4 * 1024 * 1024
"""Bytes after which no further slice is read in one go, so that a long absence is made up for
piece by piece."""
LONGEST_READING_US: Final = 10_000_000
"""What is told to come later than this was told before the machine started anew."""

Line = list[Any]
"""What one callback of Kamailio's has told: the id of the call attempt (an empty one where it is
about none), what makes microseconds since 1970 of those on the monotonic clock, and events."""
SHORTEST: Final = 3
"""Values of a line."""
SHORTEST_EVENT: Final = 2


class SpoolReader:
    """Reads the files of a spool, whose directories may be several."""

    def __init__(
        self,
        directories: Sequence[Path],
        offsets: Mapping[str, int] | None = None,
        clock_us: Callable[[], int] = lambda: time.monotonic_ns() // 1000,
    ) -> None:
        """`offsets` are those of the reader before."""
        self._directories = directories
        self._clock_us = clock_us
        self._offsets = dict(offsets or {})
        self._unread: dict[str, int] = {}
        """Bytes that were left in a file: a line that is being written, or is told too late."""
        self._met_us: dict[str, int] = {}
        """When each file was first read."""
        self.malformed = 0
        """Lines that were no event: what a full disk, or the end of a process, has cut short."""
        self.has_more = False
        """Whether the last reading has left something, because it was enough for one go."""

    @property
    def offsets(self) -> dict[str, int]:
        """How far each file has been read: where the next reader goes on."""
        return dict(self._offsets)

    def read(self) -> Iterator[Line]:
        """Yield the lines that have come since; a directory that is not there yet holds none."""
        self.has_more = False
        until_us = self._clock_us()
        budget = MOST_AT_ONCE
        lines: list[Line] = []
        for _, files in groupby(self._files(), key=_slice_of):
            if budget <= 0:  # what is later must not be read before it
                self.has_more = True
                break
            for file in files:
                budget -= self._take(file, until_us, lines)
        # Before all others what an earlier start of the machine has left.
        lines.sort(key=lambda line: line[2][1] if line[2][1] <= until_us else -1)
        yield from lines

    def forget_read(self) -> None:
        """Delete the files that have been read and will not grow any more."""
        now_us = self._clock_us()
        kept = set()
        for file in self._files():
            is_torn = self._unread.get(file.name, 0) > 0
            grows_for_us = TORN_AFTER_US if is_torn else KEPT_US
            if now_us < self._met_us.get(file.name, now_us) + grows_for_us:
                kept.add(file.name)
                continue
            self.malformed += is_torn
            file.unlink(missing_ok=True)
        self._offsets = {name: at for name, at in self._offsets.items() if name in kept}
        self._unread = {name: left for name, left in self._unread.items() if name in kept}
        self._met_us = {name: met for name, met in self._met_us.items() if name in kept}

    def _files(self) -> list[Path]:
        found = (each.glob(f"*{SUFFIX}") for each in self._directories)
        return sorted((file for files in found for file in files), key=lambda file: file.name)

    def _take(self, file: Path, until_us: int, lines: list[Line]) -> int:
        """Add the lines that have come in a file; return how many bytes they are."""
        data = self._rest_of(file)
        self._met_us.setdefault(file.name, until_us)
        whole = data[: data.rfind(b"\n") + 1]
        texts = whole.split(b"\n")[:-1]
        fresh = _decoded(texts, has_surrogates=b"\\ud" in whole)
        kept = len(fresh)
        while kept and _is_later(fresh[kept - 1], until_us):
            kept -= 1
        size = len(whole) - sum(len(text) + 1 for text in texts[kept:])
        self._offsets[file.name] = self._offsets.get(file.name, 0) + size
        self._unread[file.name] = len(data) - size
        told = len(lines)
        lines += [line for line in fresh[:kept] if line is not None]
        self.malformed += kept - (len(lines) - told)
        return size

    def _rest_of(self, file: Path) -> bytes:
        """Return what has not been read of a file; where zeros begin, nothing is written yet."""
        try:
            with file.open("rb") as opened:
                opened.seek(self._offsets.get(file.name, 0))
                return opened.read().partition(b"\0")[0]
        except FileNotFoundError:  # the writing side keeps its bound
            return b""


def _slice_of(file: Path) -> str:
    return file.name[:DIGITS]


def _is_later(line: Line | None, until_us: int) -> bool:
    return line is not None and until_us < line[2][1] < until_us + LONGEST_READING_US


def _decoded(texts: list[bytes], *, has_surrogates: bool) -> Sequence[Line | None]:
    """Return what the lines hold; None for one that tells of nothing.

    All of them are read and looked at in one go, which costs a third; one by one where that does
    not work out.
    """
    if texts and not has_surrogates:
        with suppress(ValueError, LookupError, TypeError):
            lines: list[Line] = json.loads(b"[" + b",".join(texts) + b"]")
            if len(lines) == len(texts) and {type(line[2][1]) for line in lines} == {int}:
                return lines
    return [_decoded_line(text) for text in texts]


def _decoded_line(text: bytes) -> Line | None:
    try:
        told: Any = json.loads(text)
    except ValueError:
        return None
    if b"\\ud" in text:
        told = _as_text(told)
    is_told = (
        type(told) is list
        and len(told) >= SHORTEST
        and type(told[2]) is list
        and len(told[2]) >= SHORTEST_EVENT
        and type(told[2][1]) is int
    )
    return told if is_told else None


def _as_text(told: object) -> object:
    """Replace lone surrogates, which stand for bytes that were no UTF-8, by question marks."""
    replaced: object = json.loads(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))
    return replaced
