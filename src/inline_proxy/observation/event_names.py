"""What the values of an event are called: Kamailio tells them in order and without names.

`clearip_proxy/records/call_event.py` describes the lines.
"""

from collections.abc import Iterator
from typing import Any, Final

Event = dict[str, Any]
"""`kind`, `at` (microseconds since 1970), `clock` (the same on the monotonic clock), `call` (the id
of the call attempt), and what is particular to the kind."""

NAMES: Final = {
    "begun": (
        "call_id",
        "from_tag",
        "from",
        "to",
        "address",
        "source",
        "bytes",
        "emergency",
        "query",
    ),
    "asked": ("site",),
    "clearip": (
        "site",
        "status",
        "phrase",
        "reasons",
        "verdict",
        "contacts",
        "diverted",
        "identities",
        "asserted",
    ),
    "attempted": ("n", "target", "hop", "signed", "added"),
    "unreachable": ("n", "target", "hop", "what"),
    "failed": ("n", "canceled", "status", "phrase", "reasons"),
    "rang": ("status",),
    "answered": ("status",),
    "finished": ("status", "phrase", "canceled"),
    "hung_up": ("call_id", "from_tag", "to_tag"),
    "started": (),
    "dropped": ("files", "bytes"),
}
"""By kind, in the order of the values."""


def events_of(line: object) -> Iterator[Event]:
    """Yield the events of a line; raises `TypeError` or `ValueError` where it is none.

    What is not known is passed over: a kind, and values behind the last name.
    """
    if not isinstance(line, list):
        raise TypeError("not a line of events")
    call, epoch_us, *events = line
    for kind, clock_us, *values in events:
        if kind in NAMES:
            event = dict(zip(NAMES[kind], values, strict=False))
            event |= {"kind": kind, "at": clock_us + epoch_us, "clock": clock_us, "call": call}
            yield event
