"""What happens to a call, as lines of text for whoever keeps records of it.

A line holds what one callback has to tell, a JSON array without names, for names would be most of
it:

    call    the call attempt that it is about, an id of the proxy's own; "" for none
    epoch   what makes microseconds since 1970 of the machine's monotonic clock
    ...     the events: arrays of what happened (`Kind`), when, on the monotonic clock in
            microseconds, and what is particular to the kind

What is particular stands in an order of its own for each kind; the names are the reader's
(`observation/call_set_up.py`). New values are put at the end, and whoever reads passes over what
it does not know, so that a proxy and a reader of different releases get along.
"""

import json
import time
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

_encoded = json.JSONEncoder(separators=(",", ":")).encode


class Kind(StrEnum):
    """What happened."""

    STARTED = "started"
    """Kamailio has started: what was under way before is not any more."""
    BEGUN = "begun"
    """A call attempt was accepted: an INVITE outside a dialog, of a trusted source."""
    ASKED = "asked"
    """A ClearIP site was sent the INVITE."""
    CLEARIP = "clearip"
    """That site has answered, or has not (`status` null)."""
    ATTEMPTED = "attempted"
    """A target was sent the INVITE."""
    UNREACHABLE = "unreachable"
    """A target could not be sent it."""
    FAILED = "failed"
    """A target has ended its branch without a 2xx, or was silent for too long (`status` null)."""
    RANG = "rang"
    """A target has sent a provisional response other than 100."""
    ANSWERED = "answered"
    """A target has sent a 2xx."""
    FINISHED = "finished"
    """The caller was sent a final response other than a 2xx."""
    HUNG_UP = "hung_up"
    """A BYE has passed; it is known by the dialog's identifiers, not by `call`."""
    DROPPED = "dropped"
    """Events were thrown away unread: the spool had reached its bound."""


class Instant(NamedTuple):
    """A point in time on both clocks."""

    at_us: int
    clock_us: int


def this_instant() -> Instant:
    """Read both clocks."""
    return Instant(time.time_ns() // 1000, time.monotonic_ns() // 1000)


def clock_us() -> int:
    """Read the monotonic clock."""
    return time.monotonic_ns() // 1000


Happened = tuple[object, ...]
"""An event: kind, time on the monotonic clock, and its values."""


def event_line(call: str, instant: Instant, events: Iterable[Happened]) -> str:
    """Return events with a line end; what is no UTF-8 in them stays a lone surrogate, escaped."""
    return _encoded((call, instant.at_us - instant.clock_us, *events)) + "\n"
