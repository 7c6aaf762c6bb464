"""What an observer must remember across its own end: how far it had read, and the calls open."""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from inline_proxy.certificates import write_atomically
from inline_proxy.observation.call_book import CallBook
from inline_proxy.observation.spool_reader import Position

FILE_NAME: Final = "observer.json"
PRIVATE_FILE: Final = 0o600


class Checkpoint(NamedTuple):
    """A moment at which everything read had been recorded."""

    position: Position
    book: CallBook
    recorded_bytes: int
    """The size of the file of records; what lies behind it was written later."""


def save(directory: Path, checkpoint: Checkpoint) -> None:
    """Store a checkpoint in one step; raises `OSError`.

    It does not wait for the disk: every second that would have the file system write out what
    Kamailio's processes append to the spool, and they, and calls, would wait for it too.
    """
    stored = {
        "position": checkpoint.position,
        "book": checkpoint.book.to_json(),
        "recorded_bytes": checkpoint.recorded_bytes,
    }
    content = json.dumps(stored).encode()
    write_atomically(directory / FILE_NAME, content, PRIVATE_FILE, is_durable=False)


def load(directory: Path) -> Checkpoint:
    """Return the last checkpoint; an empty one where there is none that can be read."""
    try:
        stored: dict[str, Any] = json.loads((directory / FILE_NAME).read_bytes())
        position = Position(*stored["position"])
        return Checkpoint(position, CallBook.from_json(stored["book"]), stored["recorded_bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return Checkpoint(Position(), CallBook(), 0)
