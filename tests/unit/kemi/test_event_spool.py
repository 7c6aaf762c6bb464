"""The spool that Kamailio's processes append events to."""

import os
from pathlib import Path

import pytest

from clearip_proxy.records import event_spool
from clearip_proxy.records.call_event import Instant, Kind, event_line
from clearip_proxy.records.event_spool import SLICE_US, EventSpool, drop_oldest, slice_file
from clearip_proxy.records.spool_keeper import SpoolKeeper


class Clock:
    """`time`, as far as the spool asks it."""

    def __init__(self, unix_s: int) -> None:
        self.unix_s = unix_s

    def time_ns(self) -> int:
        """Nanoseconds since 1970."""
        return self.unix_s * 1_000_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still."""
    clock = Clock(100)
    monkeypatch.setattr(event_spool, "time", clock)
    return clock


@pytest.mark.usefixtures("clock")
def test_lines_of_several_processes_share_the_file_of_their_slice(tmp_path: Path) -> None:
    """Each appends; none overwrites what another wrote."""
    one, other = EventSpool(tmp_path / "new"), EventSpool(tmp_path / "new")

    one.write("a\n", 5)
    other.write("b\n", 5)
    one.write("c\n", 5)

    assert slice_file(tmp_path / "new", 100).read_text() == "a\nb\nc\n"


def test_next_slice_has_a_file_that_sorts_after_it(tmp_path: Path, clock: Clock) -> None:
    """Names of one length."""
    spool = EventSpool(tmp_path)

    spool.write("a\n", 5)
    clock.unix_s += 9_000
    spool.write("b\n", 5 + 9_000 * SLICE_US)

    first, second = sorted(tmp_path.iterdir())
    assert (first.read_text(), second.read_text()) == ("a\n", "b\n")


def test_nobody_else_may_read_what_is_told_of_calls(tmp_path: Path) -> None:
    """Numbers of people stand in it."""
    EventSpool(tmp_path / "new").write("a\n", 5)

    (file,) = (tmp_path / "new").iterdir()
    assert (file.stat().st_mode & 0o077, (tmp_path / "new").stat().st_mode & 0o077) == (0, 0)


def test_line_cut_short_is_ended_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full for a moment costs one line, and it is told."""
    spool, write = EventSpool(tmp_path), os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))
    with pytest.raises(OSError, match="in part"):
        spool.write("abcdef\n", 5)
    monkeypatch.setattr(os, "write", write)

    spool.write("next\n", 5)

    (file,) = tmp_path.iterdir()
    assert file.read_text() == "abc\nnext\n"


def test_directory_that_cannot_be_made_is_an_error_every_time(tmp_path: Path) -> None:
    """Nothing is remembered that would keep it from working later."""
    (tmp_path / "file").touch()
    spool = EventSpool(tmp_path / "file" / "spool")

    for _ in range(2):
        with pytest.raises(OSError, match="file"):
            spool.write("a\n", 5)
    (tmp_path / "file").unlink()
    spool.write("a\n", 5)

    assert len(list((tmp_path / "file" / "spool").iterdir())) == 1


def test_oldest_slices_beyond_the_bound_are_dropped(tmp_path: Path) -> None:
    """What is dropped is told; what is being written stays, however large it is."""
    for number in (1, 2, 3, 4):
        slice_file(tmp_path, number).write_text("x" * 10)
    (tmp_path / "other").write_text("x" * 99)

    assert drop_oldest(tmp_path, 40) == (0, 0)
    assert drop_oldest(tmp_path, 25) == (2, 20)
    assert drop_oldest(tmp_path, 1) == (1, 10)
    assert sorted(tmp_path.iterdir()) == [slice_file(tmp_path, 4), tmp_path / "other"]


def test_keeper_says_once_that_kamailio_has_started(tmp_path: Path) -> None:
    """With the time of the start, and not of the timer's first run."""
    keeper = SpoolKeeper(EventSpool(tmp_path), Instant(5, 6), clock=lambda: Instant(10_000_000, 7))

    keeper.tick()
    keeper.tick()

    (file,) = tmp_path.iterdir()
    assert file.read_text() == '["",-1,["started",6]]\n'


def test_keeper_drops_and_says_so(tmp_path: Path) -> None:
    """Now and then, as looking through a directory takes time."""
    for number in (1, 2):
        slice_file(tmp_path, number).write_text("x" * 10)
    now = [Instant(10_000_000, 7)]
    keeper = SpoolKeeper(EventSpool(tmp_path), Instant(5, 6), clock=lambda: now[0], max_bytes=15)

    keeper.tick()
    slice_file(tmp_path, 1).write_text("x" * 10)
    keeper.tick()

    assert slice_file(tmp_path, 1).exists()
    assert not slice_file(tmp_path, 2).exists()
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert '["dropped",7,2,20]' in text


def test_keeper_survives_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    """It says what it has to when the disk takes it again."""
    (tmp_path / "spool").touch()
    keeper = SpoolKeeper(EventSpool(tmp_path / "spool"), Instant(5, 6))

    keeper.tick()
    (tmp_path / "spool").unlink()
    keeper.tick()

    (file,) = (tmp_path / "spool").iterdir()
    assert '"started"' in file.read_text()


def test_event_is_one_line_of_ascii() -> None:
    """Whatever a message held: line ends, other alphabets, bytes that are no text."""
    line = event_line("id", Instant(1, 2), [(Kind.BEGUN, 2, "a\nb\u2028c\udcff")])

    assert line.count("\n") == 1
    assert line.isascii()
    assert line.isprintable() is False
    assert line.rstrip("\n").isprintable()


def test_calls_of_one_process_have_different_ids(tmp_path: Path) -> None:
    """Two calls cannot begin in the same microsecond of one process."""
    spool = EventSpool(tmp_path)
    ids = [spool.new_call_id(clock_us) for clock_us in (1, 2, 2 + SLICE_US)]

    assert len(set(ids)) == len(ids)


def test_time_of_day_is_read_anew_in_every_slice(tmp_path: Path, clock: Clock) -> None:
    """A clock that was set shows within a second, and costs no line a look at it."""
    spool = EventSpool(tmp_path)
    epochs = [spool.turn(5)]
    clock.unix_s += 60
    spool.write("a\n", 6)
    epochs.append(spool.epoch_us)
    spool.write("b\n", 5 + SLICE_US)
    epochs.append(spool.epoch_us)

    assert epochs == [100_000_000 - 5, 100_000_000 - 5, 159_000_000 - 5]


def test_what_cannot_be_written_is_told_where_somebody_wants_to_know(tmp_path: Path) -> None:
    """A call goes on whatever becomes of its record."""
    (tmp_path / "file").touch()
    lost: list[str] = []
    spool = EventSpool(tmp_path / "file" / "spool", on_lost=lambda: lost.append("a line"))

    spool.write("a\n", 5)

    assert lost == ["a line"]
