"""The record of what passed the ClearIP stand-in, message by message."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

Direction = Literal["received", "sent"]


@dataclass(frozen=True, slots=True)
class Connection:
    """Who is at the other end, and what TLS told about it; `tls` is null on plain TCP."""

    peer: str
    tls: str | None
    server_name: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One message: when (seconds since the epoch), which way, over what, and its text."""

    time: float
    direction: Direction
    peer: str
    tls: str | None
    server_name: str | None
    text: str


class Record(Protocol):
    """Takes down what passes."""

    def add(self, direction: Direction, connection: Connection, text: str) -> None:
        """Take down one message, now."""


class MemoryRecord:
    """Keeps the entries, for a test in the same process."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, direction: Direction, connection: Connection, text: str) -> None:
        """Take down one message, now."""
        self.entries.append(_entry(direction, connection, text))


class NoRecord:
    """Takes nothing down."""

    def add(self, direction: Direction, connection: Connection, text: str) -> None:
        """Let one message pass."""


class FileRecord:
    """Appends one JSON object per line; each line is on its way to the disk before the next."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("a", encoding="utf-8")

    def add(self, direction: Direction, connection: Connection, text: str) -> None:
        """Take down one message, now."""
        self._stream.write(json.dumps(asdict(_entry(direction, connection, text))) + "\n")
        self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()


def read_record(path: Path) -> list[Entry]:
    """Read a file that a `FileRecord` wrote; a last line that is not finished yet is left out."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [Entry(**json.loads(line)) for line in lines if line.endswith("\n")]


def _entry(direction: Direction, connection: Connection, text: str) -> Entry:
    """Give an entry for this moment."""
    return Entry(
        time.time(), direction, connection.peer, connection.tls, connection.server_name, text
    )
