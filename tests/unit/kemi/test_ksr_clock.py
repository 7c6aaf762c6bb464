"""A clock that is set: what Kamailio makes of it is told, and mended where that is possible."""

import pytest

from clearip_proxy.ksr.clock import LEARNT, ClockWatch
from clearip_proxy.moment import Moment
from unit.kemi.fake_ksr import FakeKsr

FILLED = {table: {"key": "value"} for table in (*LEARNT, "calls_in_progress")}


def watched(*steps_s: float) -> FakeKsr:
    """Look ten times a second, and set the clock by so much after each second."""
    ksr = FakeKsr(tables={name: dict(entries) for name, entries in FILLED.items()})
    watch = ClockWatch(ksr)
    unix_s = 1_700_000_000.7
    for second, step_s in enumerate((0, *steps_s)):
        unix_s += step_s
        for tenth in range(10):
            elapsed_s = second + tenth / 10
            watch.tick(Moment(int(elapsed_s * 1000), int(unix_s + elapsed_s)))
    return ksr


@pytest.mark.parametrize("step_s", [0, 1, -1, 1.9, -1.9])
def test_clock_that_is_hardly_moved_is_none_that_was_set(step_s: float) -> None:
    """As it is by a daemon that keeps it."""
    ksr = watched(step_s)

    assert ksr.logged == []
    assert ksr.tables == FILLED


def test_clock_that_is_set_back_lets_nothing_be_kept_for_longer() -> None:
    """A target that was away for a moment would be passed over for an hour; calls stay counted."""
    ksr = watched(-3600)

    assert [line for line in ksr.logged if "set back by 3600 s" in line or "3599" in line]
    assert len(ksr.logged) == 1
    assert {name for name, entries in ksr.tables.items() if entries} == {"calls_in_progress"}
    assert ksr.faults == 0


def test_clock_that_is_set_forward_is_told_with_what_it_does_to_calls() -> None:
    """Nothing can be done about it: the timers are Kamailio's."""
    ksr = watched(3600, 0, 0)

    (line,) = ksr.logged
    assert "the clock was set forward by 3600 s" in line or "3601 s" in line
    assert "may end as if nobody had answered" in line
    assert ksr.faults == 1
    assert ksr.tables == FILLED
