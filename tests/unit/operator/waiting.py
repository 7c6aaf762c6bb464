"""Waiting for a condition, for as long as it takes and no longer."""

import time
from collections.abc import Callable

PATIENCE_S = 10


def wait_until(condition: Callable[[], object]) -> None:
    """Return when the condition holds; raise `TimeoutError` when it does not come to that."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.005)
