"""What passed between two actors of a call, told by the one that is not the proxy."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, Literal, Protocol

from inline_proxy.lab.message import Message

PROXY: Final = "proxy"
NOTED_LATE_S: Final = 0.001
OUT_OF_ORDER_S: Final = 0.02


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
    """Give the passages of one call, the earliest first, and what the proxy relays after its cause.

    On a busy machine an actor may note a message after another has noted what came of it.
    """
    waiting = sorted((each for each in passages if each.call_id == call_id), key=_time)
    invites = {each.message.branch for each in waiting if each.message.method == "INVITE"}
    ordered: list[Passage] = []
    while waiting:
        first = waiting.pop(0)
        cause = _late_cause(first, ordered, waiting) if _is_relayed(first, invites) else None
        if cause:
            waiting.remove(cause)
            ordered.append(replace(cause, time=first.time))
        ordered.append(first)
    return ordered


def _time(passage: Passage) -> float:
    """Give the time of a passage, to sort by."""
    return passage.time


def _is_relayed(passage: Passage, invites: Container[str]) -> bool:
    """Whether the proxy sends this because it got the same from the other side.

    Not the 100, anything about a CANCEL, and the ACK with the branch of its INVITE: those belong
    to one hop (RFC 3261 §16.7, §16.10, §17.1.1.3).
    """
    message = passage.message
    hop_by_hop = (
        message.status == HTTPStatus.CONTINUE
        or message.method == "CANCEL"
        or (message.is_request and message.method == "ACK" and message.branch in invites)
    )
    return passage.sender == PROXY and not hop_by_hop


def _late_cause(
    relayed: Passage, earlier: Iterable[Passage], later: Iterable[Passage]
) -> Passage | None:
    """Give the passage that caused this one, if it was noted a moment too late."""
    if any(_same(each, relayed) for each in earlier):
        return None
    soon = (each for each in later if each.time - relayed.time <= OUT_OF_ORDER_S)
    return next((each for each in soon if _same(each, relayed)), None)


def _same(received: Passage, relayed: Passage) -> bool:
    """Whether what the proxy received is what it relays: start line's kind and CSeq agree."""
    return (
        received.receiver == PROXY
        and received.message.status == relayed.message.status
        and received.message.header("cseq") == relayed.message.header("cseq")
    )
