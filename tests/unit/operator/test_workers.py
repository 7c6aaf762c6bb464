"""Numbers of processes."""

import pytest

from inline_proxy.workers import processors, udp_workers


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 1), (4, 3), (16, 15)])
def test_processor_is_left_for_the_answers_of_clearip(cores: int, workers: int) -> None:
    """A host with one processor still has a worker."""
    assert udp_workers(cores) == workers


def test_host_has_a_processor() -> None:
    """It is this one's to tell, whatever a container allows."""
    assert processors() >= 1
