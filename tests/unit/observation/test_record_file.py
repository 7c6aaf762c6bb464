"""`calls.jsonl`: complete lines, rotated, none twice."""

import json
import resource
import signal
from pathlib import Path

import pytest

from inline_proxy.observation.call_record import RecordLine
from inline_proxy.observation.record_file import RecordFile, files_of, records_in


def ids(path: Path) -> list[str]:
    """The ids of the records in a file."""
    with path.open("rb") as file:
        return [record["id"] for record in records_in(file)]


def lines(*names: str, size: int = 0) -> list[RecordLine]:
    """Records with these ids."""
    return [RecordLine(name, json.dumps({"id": name, "text": "x" * size}) + "\n") for name in names]


def test_records_are_appended_line_by_line(tmp_path: Path) -> None:
    """Only the service and its group may read them."""
    file = RecordFile(tmp_path / "calls.jsonl", 1, 3)

    file.append(lines("a", "b"))
    file.append(lines("c"))

    assert ids(tmp_path / "calls.jsonl") == ["a", "b", "c"]
    assert (tmp_path / "calls.jsonl").stat().st_mode & 0o777 == 0o640


def test_record_known_before_a_crash_is_not_written_again(tmp_path: Path) -> None:
    """What was written after the last checkpoint is read again, and not recorded again."""
    path = tmp_path / "calls.jsonl"
    RecordFile(path, 1, 3).append(lines("a", "b"))
    offset = len(lines("a")[0].text)

    file = RecordFile(path, 1, 3)
    file.skip_known_after(offset)
    file.append(lines("b", "c"))

    assert ids(path) == ["a", "b", "c"]


def test_full_file_is_rotated_and_the_oldest_goes(tmp_path: Path) -> None:
    """As many files stay as are asked for."""
    path = tmp_path / "calls.jsonl"
    file = RecordFile(path, 1, 3)
    for name in "abcd":
        assert file.rotate() is (name != "a")
        file.append(lines(name, size=1_000_000))

    assert [ids(each) for each in files_of(path)] == [["b"], ["c"], ["d"]]


def test_one_file_alone_is_begun_anew(tmp_path: Path) -> None:
    """Whoever keeps one file keeps no older one."""
    path = tmp_path / "calls.jsonl"
    file = RecordFile(path, 1, 1)
    file.append(lines("a", size=1_000_000))

    assert file.rotate()

    assert list(tmp_path.iterdir()) == []


def test_record_cut_short_is_taken_back(tmp_path: Path) -> None:
    """A full disk leaves no half line; the record is written again later."""
    path = tmp_path / "calls.jsonl"
    file = RecordFile(path, 1, 1)
    file.append(lines("a"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 3, limits[1]))

    with pytest.raises(OSError, match="No space left"):
        file.append(lines("b"))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, ignored)
    file.append(lines("b"))

    assert ids(path) == ["a", "b"]


def test_line_that_is_no_record_is_passed_over() -> None:
    """Somebody has edited the file."""
    assert [each["id"] for each in records_in([b"{", b"[]", b'{"id":"a"}'])] == ["a"]
