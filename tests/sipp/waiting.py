"""Waiting for conditions: no flow ever sleeps for a time that somebody guessed."""

import time
from collections.abc import Callable

POLL_S = 0.005
PATIENCE_S = 25
"""For a busy machine; a condition that holds is never waited for longer than it takes."""


def wait_until(
    condition: Callable[[], object], description: str, *, patience_s: float = PATIENCE_S
) -> None:
    """Wait until a condition holds; raise `TimeoutError` with its description otherwise."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not happen in {patience_s:g} s: {description}")
        time.sleep(POLL_S)
