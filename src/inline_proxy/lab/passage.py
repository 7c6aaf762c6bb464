"""What passed between two actors of a call, told by the one that is not the proxy."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from inline_proxy.lab.message import Message

PROXY: Final = "proxy"
NOTED_LATE_S: Final = 0.001


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
    """Give the passages of an actor that talks to the proxy alone.

    SIPp notes a message after it has sent it, when its effects may already be in another's
    record: it is taken to have left a little earlier, but not before what came first.
    """
    passages = []
    before = 0.0
    for entry in record:
        sent = entry.direction == "sent"
        before = max(before, entry.time - NOTED_LATE_S) if sent else entry.time
        ends = (actor, PROXY) if sent else (PROXY, actor)
        passages.append(Passage(before, *ends, Message.parse(entry.text)))
    return passages


def one_call(passages: Iterable[Passage], call_id: str) -> list[Passage]:
    """Give the passages of one call, the earliest first."""
    return sorted(
        (passage for passage in passages if passage.call_id == call_id),
        key=lambda passage: passage.time,
    )
