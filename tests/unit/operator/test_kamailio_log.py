"""What Kamailio logs: one line for each thing that it says, and not too many of them."""

import json
import os
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from inline_proxy import kamailio_log
from inline_proxy.kamailio_log import (
    LONGEST_LINE,
    MANY_LINES,
    MOST_LINES_PER_SECOND,
    KamailioLog,
    Lines,
    MaskSetting,
)

ERROR = " 1(23) ERROR: <core> [core/parser/parse_via.c:2706]: parse_via(): parsing via on: "
OTHER = 7


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now_s


def read_exactly(descriptor: int, size: int) -> bytes:
    """So many bytes of a pipe, however they come."""
    data = b""
    while len(data) < size:
        data += os.read(descriptor, size - len(data))
    return data


def lines(*, masks: bool = False, now: Clock | None = None) -> Lines:
    """Lines of Kamailio's processes."""
    return Lines(lambda: masks, now or Clock())


def test_line_break_in_what_is_quoted_makes_no_line() -> None:
    """Nor does anything else that a terminal would obey."""
    said = lines().take(1, f"{ERROR}<x\r\n 1(2) NOTICE: forged\x1b[2J\t\0>\n".encode())

    assert said == [f"{ERROR}<x\\r\\n 1(2) NOTICE: forged?[2J\\t?>"]


def test_line_that_is_written_in_pieces_is_one() -> None:
    """Whatever other processes write meanwhile."""
    log = lines()

    assert log.take(1, b" 1(1) NOTICE: begun, ") == []
    assert log.take(OTHER, b" 2(7) NOTICE: another\n") == [" 2(7) NOTICE: another"]
    assert log.take(1, b"and ended\n") == [" 1(1) NOTICE: begun, and ended"]


@pytest.mark.parametrize("size", [128, 256, 8192])
def test_line_that_may_be_the_rest_of_another_is_marked(size: int) -> None:
    """A sender may have put a line break where the C library ends a piece."""
    log = lines()

    log.take(1, b"x" * (size - 1) + b"\n")

    assert log.take(OTHER, b" 2(7) NOTICE: another\n") == [" 2(7) NOTICE: another"]
    assert log.take(1, b" 1(2) NOTICE: forged?\n") == ["|  1(2) NOTICE: forged?"]
    assert log.take(1, b" 1(1) NOTICE: next\n") == [" 1(1) NOTICE: next"]


def test_long_line_keeps_its_beginning_and_its_end() -> None:
    """A message of 48 kB is no line."""
    (line,) = lines().take(1, f"{ERROR}{'x' * 50_000} the end\n".encode())

    assert line.startswith(ERROR)
    assert line.endswith(" the end")
    assert len(line) < LONGEST_LINE + 10


def test_flood_of_errors_is_cut_and_counted() -> None:
    """The proxy's own lines are not among them: they have limits of their own."""
    clock = Clock()
    log = lines(now=clock)

    told = [line for _ in range(200) for line in log.take(1, f"{ERROR}x\n".encode())]
    told += log.take(1, b" 1(23) NOTICE: call-1: relayed: 404\n")
    clock.now_s += 1
    told += log.take(1, f"{ERROR}next\n".encode())

    assert told[:MOST_LINES_PER_SECOND] == [f"{ERROR}x"] * MOST_LINES_PER_SECOND
    assert told[MOST_LINES_PER_SECOND:] == [
        " 1(23) NOTICE: call-1: relayed: 404",
        "150 more errors of Kamailio's were left out here",
        f"{ERROR}next",
    ]


def test_numbers_in_what_is_quoted_are_hidden_when_that_is_wanted() -> None:
    """In the proxy's own lines it has hidden them itself, and left the Call-ID as it is."""
    log = lines(masks=True)

    assert log.take(1, f"{ERROR}+14045550123\n".encode()) == [f"{ERROR}+14045xxxxxx"]
    (own,) = log.take(1, b" 1(23) NOTICE: 14045550123: relayed: 404\n")
    assert "14045550123" in own


def test_setting_is_the_one_that_the_running_proxy_has(tmp_path: Path) -> None:
    """It may change while it runs; as long as it is unknown, numbers are hidden."""
    policy = tmp_path / "proxy.json"
    masks = MaskSetting(policy)
    seen = [masks()]
    for time_ns, wanted in ((1, False), (1, True), (2, True)):
        policy.write_text(json.dumps({"log": {"mask_numbers": wanted}}))
        os.utime(policy, ns=(time_ns, time_ns))
        seen.append(masks())

    assert seen == [True, False, False, True]


def test_everything_that_was_said_is_written_on_before_the_end() -> None:
    """What was begun and not ended too."""
    reading, writing = os.pipe()
    log = KamailioLog.begin(lambda: False, writing)
    for text in (b"one\n", b"", b"two\nthree\n", b"four"):
        os.write(log.written_to, text)

    log.is_given()
    log.end(patience_s=10)
    os.close(writing)

    with open(reading, "rb") as written:  # noqa: PTH123 - a descriptor has no path
        assert written.read() == b"one\ntwo\\nthree\n| four\n"


def test_lines_gather_unless_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a flood whoever writes would wait at a full socket."""
    pauses: list[float] = []
    monkeypatch.setattr(kamailio_log, "time", Mock(sleep=pauses.append, monotonic=time.monotonic))
    reading, writing = os.pipe()
    log = KamailioLog(lambda: False, writing)
    for _ in range(MANY_LINES):
        os.write(log.written_to, b"x\n")

    log.begin_to_carry()
    assert read_exactly(reading, 2 * MANY_LINES) == b"x\n" * MANY_LINES
    after_many = [len(pauses)]
    for _ in range(2):
        os.write(log.written_to, b"y\n")
        assert read_exactly(reading, 2) == b"y\n"
        after_many.append(len(pauses))

    assert after_many == [1, 1, 2]
    log.is_given()
    log.end(patience_s=10)
    os.close(writing)
    os.close(reading)


def test_file_that_takes_nothing_holds_nobody_up() -> None:
    """Kamailio goes on, whoever reads its log no more."""
    reading, writing = os.pipe()
    os.close(reading)
    log = KamailioLog.begin(lambda: False, writing)

    for _ in range(1_000):
        os.write(log.written_to, b"x" * 1_000 + b"\n")

    log.is_given()
    log.end(patience_s=10)
    os.close(writing)
