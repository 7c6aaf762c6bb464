"""What parsers say of the pieces that they left out: a few sentences, however many pieces."""

from collections.abc import Sequence

MAX_FAULTS = 16
"""Sentences kept of one message; a hostile one could otherwise fill the log."""


def first_faults(faults: Sequence[str]) -> tuple[str, ...]:
    """Return the first faults, and in the place of the others one that counts them."""
    if len(faults) <= MAX_FAULTS:
        return tuple(faults)
    return (*faults[:MAX_FAULTS], f"and {len(faults) - MAX_FAULTS} more")
