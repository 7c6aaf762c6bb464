"""What happens to a call, as lines of text for whoever keeps records of it.

An event is one JSON object on a line of its own. Every one has

    kind    what happened (`Kind`)
    at      when, in microseconds since 1970
    clock   when, in microseconds on the machine's monotonic clock: for durations
    call    the call attempt that it is about, an id of the proxy's own

and what is particular to its kind. Whoever reads them takes what it knows and passes over the
rest, so that a proxy and a reader of different releases get along.
"""

import json
import os
import time
from collections.abc import Mapping
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


def new_call_id(instant: Instant) -> str:
    """Return an id that no other call attempt on this machine has had."""
    return f"{instant.at_us:x}{os.getpid() & 0xFFFF:04x}"


def event_line(kind: Kind, instant: Instant, call: str, values: Mapping[str, object]) -> str:
    """Return an event with its line end; what is no UTF-8 stays a lone surrogate, escaped."""
    fixed = {"kind": kind.value, "at": instant.at_us, "clock": instant.clock_us, "call": call}
    return _encoded({**fixed, **values}) + "\n"
