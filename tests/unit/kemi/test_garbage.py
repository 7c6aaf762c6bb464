"""Looking for garbage: seldom, but not never."""

import gc
from collections.abc import Iterator

import pytest

from clearip_proxy.process.garbage import LOOK_AFTER, look_seldom


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave the other tests the collector as they found it."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_exists_is_kept_out_of_the_search() -> None:
    """Everything imported stays for as long as the process lives."""
    look_seldom()

    assert gc.get_freeze_count() > 1_000
    assert gc.get_threshold()[0] == LOOK_AFTER


def test_cycles_are_still_found() -> None:
    """A process that runs for a year must not grow."""
    look_seldom()
    searches = gc.get_stats()[0]["collections"]
    for _ in range(LOOK_AFTER + 1_000):
        cycle: list[object] = []
        cycle.append(cycle)

    assert gc.get_stats()[0]["collections"] > searches
