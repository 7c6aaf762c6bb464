"""What a role sent and received, from the message file that SIPp writes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inline_proxy.lab.message import Message
from inline_proxy.lab.sipp_trace import read_trace

Direction = Literal["sent", "received"]
CUE = "CUE"
"""The method of the requests by which a test gives a role its cue: no part of the flow."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One message that passed a role."""

    time: float
    """Seconds since the epoch."""
    direction: Direction
    text: str
    """To the letter."""
    message: Message


def passed(path: Path) -> list[Passed]:
    """Read a message file that may still be growing, in the order of time."""
    entries = (
        Passed(entry.time, entry.direction, entry.text, Message.parse(entry.text))
        for entry in read_trace(path)
    )
    return [entry for entry in entries if entry.message.method != CUE]


def selected(
    entries: list[Passed], direction: Direction, what: str | int | None = None
) -> list[Message]:
    """The messages of one direction: requests of a method, responses of a status, or all."""
    messages = [entry.message for entry in entries if entry.direction == direction]
    match what:
        case None:
            return messages
        case int():
            return [message for message in messages if message.status == what]
        case _:
            return [m for m in messages if m.is_request and m.method == what]
