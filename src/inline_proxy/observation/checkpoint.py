"""What an observer must remember across its own end: how far it had read, and the calls open."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from inline_proxy.certificates import write_atomically
from inline_proxy.observation.call_book import CallBook

FILE_NAME: Final = "observer.json"
PRIVATE_FILE: Final = 0o600


class Checkpoint(NamedTuple):
    """A moment at which everything read had been recorded."""

    offsets: Mapping[str, int]
    """How far each file of the spool had been read."""
    book: CallBook
    recorded_bytes: int
    """The size of the file of records; what lies behind it was written later."""


def save(directory: Path, checkpoint: Checkpoint) -> None:
    """Store a checkpoint in one step; raises `OSError`.

    It does not wait for the disk: every second that would have the file system write out what
    Kamailio's processes append to the spool, and they, and calls, would wait for it too.
    """
    stored = {
        "offsets": checkpoint.offsets,
        "position": ["", 0],  # where a release before these offsets begins to read
        "book": checkpoint.book.to_json(),
        "recorded_bytes": checkpoint.recorded_bytes,
    }
    content = json.dumps(stored).encode()
    write_atomically(directory / FILE_NAME, content, PRIVATE_FILE, is_durable=False)


def load(directory: Path, spool: Path) -> Checkpoint:
    """Return the last checkpoint; an empty one where there is none that can be read."""
    try:
        stored: dict[str, Any] = json.loads((directory / FILE_NAME).read_bytes())
        offsets = stored.get("offsets") or _offsets_of_older_release(spool, *stored["position"])
        return Checkpoint(offsets, CallBook.from_json(stored["book"]), stored["recorded_bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return Checkpoint({}, CallBook(), 0)


def _offsets_of_older_release(spool: Path, last: str, offset: int) -> dict[str, int]:
    """Return the offsets of a reader that had read all files before its last one."""
    before = (file for file in spool.glob("*") if file.name < last)
    return {file.name: file.stat().st_size for file in before} | ({last: offset} if last else {})
