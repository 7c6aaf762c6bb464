"""Waiting for conditions: no flow ever sleeps for a time that somebody guessed."""

import time
from collections.abc import Callable

POLL_S = 0.005
PATIENCE_S = 25
"""For a busy machine; a condition that holds is never waited for longer than it takes."""


def wait_until(condition: Callable[[], object], description: str) -> None:
    """Wait until a condition holds; raise `TimeoutError` with its description otherwise."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not happen in {PATIENCE_S} s: {description}")
        time.sleep(POLL_S)
