"""A point in time, on the two clocks that decisions need."""

import time
from typing import NamedTuple


class Moment(NamedTuple):
    """Now."""

    monotonic_ms: int = 0
    """For durations: the machine's monotonic clock, which all of Kamailio's processes share."""
    unix_s: int = 0
    """For PASSporTs: seconds since 1970, as `iat` counts them (RFC 8225 §5.1.1)."""


def monotonic_ms() -> int:
    """Read the machine's monotonic clock alone."""
    return time.monotonic_ns() // 1_000_000


def this_moment() -> Moment:
    """Read both clocks."""
    return Moment(int(time.monotonic() * 1000), int(time.time()))
