"""Numbers that processes have in common."""

import multiprocessing

from clearip_proxy.process.shared_numbers import SharedNumbers


def test_what_a_forked_process_writes_is_read_by_the_other() -> None:
    """The ceiling comes from the timer's process, the count from those that take calls."""
    numbers = SharedNumbers()

    def write() -> None:
        numbers.ceiling_cps = 70
        numbers.count_call()

    process = multiprocessing.get_context("fork").Process(target=write)
    process.start()
    process.join()

    assert (numbers.ceiling_cps, numbers.calls_begun) == (70, 1)
