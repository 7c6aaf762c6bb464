"""The observer: reads what Kamailio tells of calls, keeps records, counts.

It may end at any moment and go on later; Kamailio never notices.
"""

import asyncio
import json
import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from inline_proxy.observation.call_book import Decided, Step
from inline_proxy.observation.call_journal import CallJournal
from inline_proxy.observation.call_record import RecordLine
from inline_proxy.observation.checkpoint import Checkpoint, load, save
from inline_proxy.observation.recent_calls import RecentCalls
from inline_proxy.observation.record_choice import kept_masked
from inline_proxy.observation.record_file import RecordFile
from inline_proxy.observation.spool_reader import SpoolReader
from inline_proxy.observation.tally import Tally

POLL_INTERVAL_S: Final = 0.5
"""Between two looks into the spool: what has come meanwhile is taken in together."""
CHECKPOINT_INTERVAL_S: Final = 1.0
"""Between two checkpoints, at least."""
CHECKPOINT_SHARE: Final = 50
"""Storing many calls under way takes long: one part in so many of the time, and no more."""
LONGEST_CHECKPOINT_INTERVAL_S: Final = 60.0
LOOK_FOR_OLD_S: Final = 60.0
_log = logging.getLogger(__name__)


class Places(NamedTuple):
    """Where an observer finds and keeps things."""

    state: Path
    """The state directory: checkpoint, and the socket that `status` asks."""
    spool: Path
    event_memory: Path
    """The directories of what Kamailio tells: on the disk, and in memory."""
    records: Path
    control_socket: Path


class Observer:
    """Turns events into records and counts."""

    def __init__(
        self,
        places: Places,
        rotate_mb: int,
        keep_files: int,
        journal: CallJournal | None = None,
        *,
        mask_numbers: bool = False,
    ) -> None:
        """`mask_numbers` hides numbers in what is written, to the journal as well."""
        self._places = places
        self._journal = journal
        self._masks_numbers = mask_numbers
        checkpoint = load(places.state, places.spool)
        self.book = checkpoint.book
        self.reader = SpoolReader((places.spool, places.event_memory), checkpoint.offsets)
        self.file = RecordFile(places.records, rotate_mb, keep_files)
        self.file.skip_known_after(checkpoint.recorded_bytes)
        self.tally = Tally()
        self.recent = RecentCalls()
        self.recent.load(places.records)
        self.is_disk_full = False
        """Whether the last record could not be written."""
        self._unwritten: list[RecordLine] = []
        self._old_s = time.monotonic()
        self._next_save_s = self._old_s + CHECKPOINT_INTERVAL_S

    def read(self) -> int:
        """Take in what has been told since; return how many events that were."""
        taken = 0
        for call, epoch_us, *events in self.reader.read():
            taken += len(events)
            try:
                steps = self.book.take(call, epoch_us, events)
            except (AttributeError, LookupError, TypeError, ValueError):
                _log.exception("an event that cannot be understood: %.200r", events)
                continue
            if steps:
                self._take(steps)
        self._give_up_old()
        self._write()
        if time.monotonic() >= self._next_save_s:
            self.save()
        return taken

    def _take(self, steps: Iterable[Step]) -> None:
        for step in steps:
            if isinstance(step, Decided):
                self.tally.decided(step.told)
                if self._masks_numbers:
                    self.recent.put(step.record.id, self._as_written(step.line))
                else:
                    self.recent.put(step.record.id, step.record)
                if self._journal is not None and self._journal.takes_more():
                    self._journal.decided(self._as_written(step.line).record)
            else:
                self.tally.ended(step.talk_us)
                line = self._as_written(step.line)
                self._unwritten.append(line)
                self.recent.put(line.id, line)

    def _as_written(self, line: RecordLine) -> RecordLine:
        if not self._masks_numbers:
            return line
        return RecordLine(
            line.id, json.dumps(kept_masked(line.record), separators=(",", ":")) + "\n"
        )

    def _give_up_old(self) -> None:
        if time.monotonic() - self._old_s >= LOOK_FOR_OLD_S:
            self._old_s = time.monotonic()
            self._take(self.book.give_up_old(time.time_ns() // 1000))

    def _write(self) -> None:
        """Write records; those that the disk does not take stay for the next time."""
        if not self._unwritten:
            return
        try:
            self.file.append(self._unwritten)
        except OSError as error:
            if not self.is_disk_full:
                _log.error("call records cannot be written: %s", error)
            self.is_disk_full = True
            return
        self.is_disk_full = False
        self._unwritten = []

    def save(self) -> None:
        """Remember how far everything is recorded, and let go of what has been read."""
        began_s = time.monotonic()
        if not self._unwritten:
            self._save()
        now_s = time.monotonic()
        pause_s = max(CHECKPOINT_INTERVAL_S, CHECKPOINT_SHARE * (now_s - began_s))
        self._next_save_s = now_s + min(pause_s, LONGEST_CHECKPOINT_INTERVAL_S)

    def _save(self) -> None:
        try:
            self.file.rotate()
            checkpoint = Checkpoint(self.reader.offsets, self.book, self.file.size_bytes)
            save(self._places.state, checkpoint)
            self.reader.forget_read()
        except OSError as error:
            _log.error("the observer's state cannot be kept: %s", error)

    def finish(self, *, has_proxy_stopped: bool) -> None:
        """Take in what is left; where the proxy has stopped, every open call was cut off."""
        while self.read():
            pass
        if has_proxy_stopped:
            self._take(self.book.cut_off_all(time.time_ns() // 1000))
            self._write()
        self.save()

    async def run(self, stop: asyncio.Event) -> None:
        """Read until told to stop."""
        while not stop.is_set():
            self.read()
            pause_s = 0.0 if self.reader.has_more else POLL_INTERVAL_S
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)
