"""The message files that SIPp writes with `-trace_msg`."""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

from inline_proxy.lab.message import ENCODING, UNDECODABLE

_SEPARATOR: Final = re.compile(r"^-{47}(?: .*)?\n", re.MULTILINE)
_HEADING: Final = re.compile(
    r"-{47} (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+)\n"
    r"\w+ message (?P<direction>sent|received) .*:\n\n"
)


@dataclass(frozen=True, slots=True)
class Traced:
    """One message: when (seconds since the epoch), which way, and its text."""

    time: float
    direction: Literal["received", "sent"]
    text: str


def read_trace(path: Path) -> list[Traced]:
    """Read a message file; one that SIPp never opened has no messages."""
    if not path.exists():
        return []
    return parse_trace(path.read_bytes().decode(ENCODING, UNDECODABLE))


def parse_trace(trace: str) -> list[Traced]:
    """Cut a message file into its messages, in the order SIPp wrote them.

    SIPp writes the local time without a zone; it is read as this machine's. What it has to say
    about a message, between separators without a time, is left out.
    """
    starts = [separator.start() for separator in _SEPARATOR.finditer(trace)]
    parts = [trace[start:end] for start, end in pairwise([*starts, len(trace)])]
    return [
        Traced(
            # A time without a zone means the local one here, as in SIPp.
            datetime.fromisoformat(heading["time"]).timestamp(),
            "sent" if heading["direction"] == "sent" else "received",
            part[heading.end() :].removesuffix("\n"),
        )
        for part in parts
        if (heading := _HEADING.match(part))
    ]
