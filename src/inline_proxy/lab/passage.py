"""What passed between two actors of a call, told by the one that is not the proxy."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from inline_proxy.lab.message import Message

PROXY: Final = "proxy"


class Recorded(Protocol):
    """One message in any actor's record."""

    @property
    def time(self) -> float:
        """Seconds since the epoch."""

    @property
    def direction(self) -> Literal["received", "sent"]:
        """Which way, seen from the actor."""

    @property
    def text(self) -> str:
        """The whole message."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One message on its way; `time` in seconds since the epoch."""

    time: float
    sender: str
    receiver: str
    message: Message

    @property
    def call_id(self) -> str:
        """The call it belongs to."""
        return self.message.header("call-id")


def seen_by(actor: str, record: Iterable[Recorded]) -> list[Passage]:
    """Give the passages of an actor that talks to the proxy alone."""
    return [
        Passage(
            entry.time,
            actor if entry.direction == "sent" else PROXY,
            PROXY if entry.direction == "sent" else actor,
            Message.parse(entry.text),
        )
        for entry in record
    ]


def one_call(passages: Iterable[Passage], call_id: str) -> list[Passage]:
    """Give the passages of one call, the earliest first."""
    return sorted(
        (passage for passage in passages if passage.call_id == call_id),
        key=lambda passage: passage.time,
    )
