"""Entries in systemd's journal: their fields, their rate, and that they cost nobody anything."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from inline_proxy.observation.call_journal import MOST_PER_S, CallJournal, entry, fields_of
from unit.observation.told import answer, asked, begun, identity, records_of, told

EVENTS = [begun(), asked(), answer(identities=[identity()])]
(RECORD,) = records_of(*EVENTS, told("finished", 9_000, status=486, phrase="Busy Here"))


class Journal:
    """Somebody who takes what the journal would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    def close(self) -> None:
        """Take no more."""
        self._socket.close()

    def taken(self) -> list[list[str]]:
        """The lines of each entry since the last time."""
        entries = []
        while True:
            try:
                entries.append(self._socket.recv(65_536).decode().splitlines())
            except BlockingIOError:
                return entries


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal."""
    with closing(Journal(tmp_path / "socket")) as opened:
        yield opened


@pytest.fixture
def calls(journal: Journal) -> Iterator[CallJournal]:
    """Who writes to it."""
    with closing(CallJournal(journal.path)) as opened:
        yield opened


def test_entry_has_the_fields_that_calls_are_searched_by(
    calls: CallJournal, journal: Journal
) -> None:
    """Call-ID, source, disposition, milliseconds; and a line for people."""
    calls.decided(RECORD)

    (lines,) = journal.taken()
    assert {
        "PRIORITY=5",
        "SYSLOG_IDENTIFIER=inline-proxy",
        f"CALL_ID={RECORD['call_id']}",
        f"SOURCE={RECORD['source']}",
        f"DISPOSITION={RECORD['disposition']}",
        f"MILLISECONDS={RECORD['setup_ms']}",
        "CLEARIP_STATUS=302",
        "STATUS=486",
    } <= set(lines)
    assert any(line.startswith("MESSAGE=") and "486 Busy Here" in line for line in lines)


def test_more_calls_than_the_rate_allows_are_counted_in_one_entry(journal: Journal) -> None:
    """A flood fills no journal."""
    second = 0.0
    with closing(CallJournal(journal.path, clock_s=lambda: second)) as calls:
        entries = []
        for _ in range(MOST_PER_S + 7):
            calls.decided(RECORD)
            entries += journal.taken()
        second = 1.0
        calls.decided(RECORD)
        entries += journal.taken()

    assert len(entries) == MOST_PER_S + 2
    assert "CALLS_LEFT_OUT=7" in entries[-2]


def test_nothing_is_written_below_the_level_of_decisions(
    calls: CallJournal, journal: Journal
) -> None:
    """Whoever asks for warnings alone gets no calls."""
    calls.level = 0

    calls.decided(RECORD)

    assert journal.taken() == []


def test_journal_that_is_away_costs_nothing(calls: CallJournal, journal: Journal) -> None:
    """No error, and no wait."""
    journal.path.unlink()

    calls.decided(RECORD)


def test_entries_are_written_by_services_alone() -> None:
    """Elsewhere stderr is the log."""
    assert CallJournal.here({}) is None
    service = CallJournal.here({"JOURNAL_STREAM": "8:1"})
    assert service is not None
    service.close()


def test_value_with_line_ends_forges_no_field() -> None:
    """It goes with its length."""
    forged = entry({"CALL_ID": "a\nPRIORITY=0"})

    assert b"CALL_ID\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\n" in forged


def test_message_for_people_holds_nothing_that_a_terminal_acts_on() -> None:
    """What a caller sends stands in it."""
    assert "\x1b" not in fields_of({**RECORD, "phrase": "\x1b[31m"})["MESSAGE"]
