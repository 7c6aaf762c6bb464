"""How the ceiling of calls per second follows from what is looked at, and what a source gets."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.overload import (
    FULL_QUEUE_BYTES,
    LEAST_CPS,
    Ceiling,
    Load,
    Second,
    is_taken,
    lower_of,
)

LIMIT_PERCENT = 80
LOOK_MS = 100


def after(ceiling: Ceiling, taken_cps: int, *, full_looks: int = 0, memory: float = 10) -> Ceiling:
    """What is known a second later, when ten looks have been taken."""
    start_ms, begun = ceiling.since_ms, ceiling.begun
    for look in range(1, 11):
        queued = FULL_QUEUE_BYTES if look <= full_looks else 0
        load = Load(start_ms + look * LOOK_MS, begun + taken_cps * look // 10, queued, memory)
        ceiling = ceiling.after(load, LIMIT_PERCENT)
    return ceiling


def test_proxy_with_room_has_no_ceiling() -> None:
    """However many calls come."""
    assert after(Ceiling(), 5_000).cps == 0


def test_burst_that_fills_the_queue_for_a_moment_is_no_overload() -> None:
    """Switches send in bursts; what waits for a fifth of a second is taken."""
    assert after(Ceiling(), 50, full_looks=2).cps == 0


def test_queue_that_stays_full_brings_the_ceiling_below_what_was_taken() -> None:
    """And further down while it stays full."""
    first = after(Ceiling(), 1_000, full_looks=3)
    second = after(first, first.cps, full_looks=10)

    assert first.cps == 900
    assert second.cps == 810


def test_ceiling_never_falls_below_the_least() -> None:
    """A machine that does other work for a while still takes calls."""
    assert after(Ceiling(), 3, full_looks=10).cps == LEAST_CPS


def test_ceiling_rises_while_it_is_needed_and_goes_when_it_is_not() -> None:
    """Calls that come up to it raise it; half of it is room enough."""
    ceiling = Ceiling(100)

    raised = after(ceiling, 100)
    gone = after(raised, 60)

    assert raised.cps == 130
    assert gone.cps == 0


def test_full_memory_leaves_each_source_one_call_per_second_at_once() -> None:
    """One look is enough: memory that is gone fails every call."""
    ceiling = Ceiling().after(Load(10, 5, 0, LIMIT_PERCENT), LIMIT_PERCENT)

    assert ceiling.cps == 1


def test_memory_that_is_free_again_lets_more_calls_in_step_by_step() -> None:
    """Not all at once, or it would be full in the next second."""
    ceiling = Ceiling(1)
    steps = [ceiling := after(ceiling, ceiling.cps) for _ in range(5)]

    assert [each.cps for each in steps] == sorted({each.cps for each in steps})
    assert steps[0].cps < 10


@pytest.mark.parametrize(
    ("cps", "max_cps", "ceiling"), [(0, None, 0), (0, 50, 50), (30, None, 30), (30, 50, 30)]
)
def test_lower_ceiling_counts(cps: int, max_cps: int | None, ceiling: int) -> None:
    """What is configured holds where it is below what was found out."""
    assert lower_of(cps, max_cps) == ceiling


def taken_in_a_second(wants: list[int], before: list[int], ceiling_cps: int) -> list[int]:
    """How many calls of each source are taken when they take turns."""
    taken = [0] * len(wants)
    for attempt in count(1):
        if attempt > max(wants):
            return taken
        for source, wanted in enumerate(wants):
            second = Second(before[source], sum(before), sum(each > 0 for each in before))
            if attempt <= wanted and is_taken(attempt, sum(taken), second, ceiling_cps):
                taken[source] += 1
    raise AssertionError


def test_flood_leaves_others_what_they_need_and_gets_the_rest() -> None:
    """Not half of the ceiling: all that the other does not use."""
    wants = [500, 5]

    assert taken_in_a_second(wants, wants, 50) == [45, 5]


def test_two_floods_share() -> None:
    """Each has half."""
    assert taken_in_a_second([500, 500], [500, 500], 50) == [25, 25]


def test_source_that_comes_to_a_flood_has_its_share_at_once() -> None:
    """It was not there in the second before."""
    assert taken_in_a_second([500, 20], [500, 0], 50)[1] == 20


@given(wants=st.lists(st.integers(1, 300), min_size=1, max_size=8), ceiling_cps=st.integers(1, 400))
def test_no_source_below_its_share_is_refused_and_nothing_is_wasted(
    wants: list[int], ceiling_cps: int
) -> None:
    """In a second like the one before it."""
    taken = taken_in_a_second(wants, wants, ceiling_cps)
    share = -(-ceiling_cps // len(wants))

    assert all(got >= min(want, share) for got, want in zip(taken, wants, strict=True))
    assert sum(taken) <= max(ceiling_cps + len(wants), len(wants))
    if sum(wants) <= ceiling_cps:
        assert taken == wants
