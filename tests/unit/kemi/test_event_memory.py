"""Events in memory: each process writes to files of its own, and one reader finds them all."""

import os
from pathlib import Path

import pytest

from clearip_proxy.records import event_memory
from clearip_proxy.records.event_memory import FILE_BYTES, EventMemory
from clearip_proxy.records.event_spool import SLICE_US, EventSpool
from inline_proxy.observation.spool_reader import SpoolReader

PAGE = 4096


def line(at_us: int, more: str = "") -> str:
    """A line of the spool."""
    return f'["c",0,["rang",{at_us},"{more}"]]\n'


def times(*directories: Path) -> list[int]:
    """When what lies in them was told, in the order in which it is read."""
    reader = SpoolReader(directories)
    told = [event[1] for _, _, event in reader.read()]
    assert reader.malformed == 0
    return told


def test_processes_have_files_of_their_own_and_the_reader_their_order(tmp_path: Path) -> None:
    """Two writers of one process are as two processes: after a new policy there are two."""
    memory = tmp_path / "run" / "memory"
    one, other = EventSpool(tmp_path / "disk", memory), EventSpool(tmp_path / "disk", memory)

    for at_us, spool in enumerate((one, other, other, one)):
        spool.write(line(at_us), at_us)

    assert times(memory) == [0, 1, 2, 3]
    assert len(list(memory.iterdir())) >= 2
    assert not (tmp_path / "disk").exists()


def test_next_slice_of_time_and_a_full_file_begin_another(tmp_path: Path) -> None:
    """A line of any length finds room."""
    spool = EventSpool(tmp_path / "disk", tmp_path / "memory")
    later_us = 2 * SLICE_US

    for at_us, length in ((0, 9), (1, FILE_BYTES), (later_us, 9), (later_us + 1, 9)):
        spool.write(line(at_us, "x" * length), at_us)

    assert times(tmp_path / "memory") == [0, 1, later_us, later_us + 1]
    assert len(list((tmp_path / "memory").iterdir())) == 3


def test_room_is_claimed_before_anything_is_written(tmp_path: Path) -> None:
    """A page that could not be had later would end the process with SIGBUS."""
    EventMemory(tmp_path).begin(1, 2)

    (file,) = tmp_path.iterdir()
    assert file.stat().st_size == FILE_BYTES
    assert file.stat().st_blocks * 512 >= FILE_BYTES


def test_nobody_else_may_read_what_is_told_of_calls(tmp_path: Path) -> None:
    """Numbers of people stand in it."""
    EventMemory(tmp_path / "new").begin(1, 2)

    (file,) = (tmp_path / "new").iterdir()
    assert (file.stat().st_mode & 0o077, (tmp_path / "new").stat().st_mode & 0o077) == (0, 0)


def test_disk_takes_what_memory_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that stays away must not fill the memory; when it is back, the order is the same."""
    monkeypatch.setattr(event_memory, "MOST_FILES", 1)
    memory, disk = tmp_path / "memory", tmp_path / "disk"
    one, other = EventSpool(disk, memory), EventSpool(disk, memory)

    for at_us, spool in enumerate((one, other, one, other)):
        spool.write(line(at_us), at_us)

    assert len(list(memory.iterdir())) == 1
    assert len(list(disk.iterdir())) >= 1
    assert times(disk, memory) == [0, 1, 2, 3]


def test_memory_without_room_keeps_no_file_and_is_tried_in_the_next_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, and nothing is left that a reader would stumble over."""
    memory, disk = tmp_path / "memory", tmp_path / "disk"
    claim = os.posix_fallocate

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    spool = EventSpool(disk, memory)
    monkeypatch.setattr(os, "posix_fallocate", full)
    spool.write(line(1), 1)
    monkeypatch.setattr(os, "posix_fallocate", claim)
    spool.write(line(2), spool.until_us - 1)
    assert list(memory.iterdir()) == []
    spool.write(line(3), spool.until_us)

    assert times(disk) == [1, 2]
    assert times(memory) == [3]
