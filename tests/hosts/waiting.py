"""Waiting for conditions on hosts, which take seconds and not milliseconds."""

import time
from collections.abc import Callable

POLL_S = 0.1
PATIENCE_S = 30


def wait_until(
    condition: Callable[[], object], description: str, *, limit_s: float = PATIENCE_S
) -> None:
    """Wait until a condition holds; raise `TimeoutError` with its description otherwise."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not happen in {limit_s} s: {description}")
        time.sleep(POLL_S)
