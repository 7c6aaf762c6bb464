"""The calls of the last minutes, for whoever looks at the status page."""

import json
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from inline_proxy.observation.call_record import OPEN, OpenRecord, Record, RecordLine

KEPT: Final = 500
TAIL_BYTES: Final = 4_000_000
"""Of the record file, where a restarted observer finds them again."""
FAILED: Final = frozenset({"rejected", "unavailable"})


class RecentCalls:
    """The last call attempts that have their final response, a record of each."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._calls: OrderedDict[str, RecordLine | OpenRecord] = OrderedDict()
        """In a plain dictionary what was deleted is looked over again at the next deletion."""

    def __len__(self) -> int:
        return len(self._calls)

    def put(self, call: str, known: RecordLine | OpenRecord) -> None:
        """Take what is known of a call; of one that has ended since, the later."""
        calls = self._calls
        calls[call] = known
        if len(calls) > self._kept:
            calls.popitem(last=False)

    def load(self, path: Path) -> None:
        """Take the last records of a file; without one, none."""
        for line in _last_lines(path):
            self.put(line.id, line)

    def found(self, search: str = "", kind: str = "", limit: int = KEPT) -> list[Record]:
        """Return records, the latest first.

        `search` is part of a number or a Call-ID, of a name, an address or a target; `kind` is a
        disposition, or `failed`.
        """
        wanted = search.casefold()
        matching = (
            record
            for record in map(_record, reversed(self._calls.values()))
            if _is_of(record, kind) and any(wanted in text.casefold() for text in _texts(record))
        )
        return [record for record, _ in zip(matching, range(limit), strict=False)]


def _is_of(record: Record, kind: str) -> bool:
    if kind == "failed":
        return record["disposition"] in FAILED
    return kind in {"", record["disposition"]}


def _texts(record: Record) -> Iterator[str]:
    for name in ("from", "to", "call_id", "source", "source_address", "disposition"):
        yield str(record[name] or "")
    yield str(record["status"] or "")
    for attempt in record["attempts"]:
        yield attempt["target"]


def _record(known: RecordLine | OpenRecord) -> Record:
    line = known.ended(OPEN) if isinstance(known, OpenRecord) else known
    return line.record


def _last_lines(path: Path) -> Iterator[RecordLine]:
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = file.read().splitlines()
    for line in lines[-KEPT:]:
        try:
            record = json.loads(line)
        except ValueError:  # the first line may have been cut
            continue
        yield RecordLine(record["id"], line.decode())
