"""One connection to the ClearIP stand-in: what it makes of each message that arrives."""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Protocol

from inline_proxy.lab.answer import Action, Answer, Means, TemplateError, called_user
from inline_proxy.lab.answers import for_user
from inline_proxy.lab.message import Message, decode, encode
from inline_proxy.lab.recording import Connection, Record

_COPIED: Final = (("via", "Via"), ("from", "From"), ("call-id", "Call-ID"), ("cseq", "CSeq"))
_PHRASES: Final = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    403: "Forbidden",
    405: "Method Not Allowed",
    481: "Call/Transaction Does Not Exist",
    487: "Request Terminated",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a stand-in behaves; `options_status` is its answer to a keep-alive."""

    means: Means = field(default_factory=Means)
    answer_for: Callable[[str], Answer] = for_user
    options_status: int = HTTPStatus.OK


class Wire(Protocol):
    """What a conversation may do to its connection."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def close(self) -> None:
        """End the connection in the proper way."""

    def reset(self) -> None:
        """End the connection with a TCP reset."""


@dataclass(slots=True)
class _Pending:
    """An INVITE that has no final response yet, and the timer that will give it one."""

    invite: Message
    timer: asyncio.TimerHandle | None = None


class Conversation:
    """Answers what arrives on one connection; needs a running event loop for slow answers."""

    def __init__(
        self, settings: Settings, connection: Connection, wire: Wire, record: Record
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._wire = wire
        self._record = record
        self._pending: dict[str, _Pending] = {}

    def receive(self, raw: bytes) -> None:
        """Take one message and do what it asks for; ACK and responses are only taken down."""
        text = decode(raw)
        self._record.add("received", self._connection, text)
        message = Message.parse(text)
        if not message.is_request or message.method == "ACK":
            return
        match message.method:
            case "INVITE":
                self._invite(message)
            case "CANCEL":
                self._cancel(message)
            case "OPTIONS":
                self._respond(message, self._settings.options_status)
            case _:
                self._respond(message, 405)

    def end(self) -> None:
        """Forget what is still to be answered: the connection is gone."""
        for pending in self._pending.values():
            if pending.timer:
                pending.timer.cancel()
        self._pending.clear()

    def _invite(self, invite: Message) -> None:
        """Answer a call, now or after the answer's delay."""
        answer = self._settings.answer_for(called_user(invite))
        pending = self._pending[invite.branch] = _Pending(invite)
        if answer.trying:
            self._respond(invite, 100)
        if answer.ringing:
            self._respond(invite, 180)
        if answer.delay_ms:
            loop = asyncio.get_running_loop()
            pending.timer = loop.call_later(answer.delay_ms / 1000, self._act, invite, answer)
        else:
            self._act(invite, answer)

    def _act(self, invite: Message, answer: Answer) -> None:
        """Do what the answer says; a silent one leaves the call pending."""
        if answer.action is Action.SILENCE:
            return
        self._pending.pop(invite.branch, None)
        match answer.action:
            case Action.REPLY:
                self._send(self._final(invite, answer))
            case Action.CUT:
                text = self._final(invite, answer)
                self._send(text[: len(text) // 2])
                self._wire.close()
            case Action.CLOSE:
                self._wire.close()
            case Action.RESET:
                self._wire.reset()

    def _final(self, invite: Message, answer: Answer) -> str:
        """Give the final response; a 500 that says why where the answer cannot be filled in."""
        try:
            headers = self._settings.means.headers(answer, invite)
        except TemplateError as error:
            return response(invite, 500, f"Lab: {error}")
        return response(invite, answer.status, answer.reason, headers)

    def _cancel(self, cancel: Message) -> None:
        """End a call that is pending (RFC 3261 §9.2)."""
        pending = self._pending.pop(cancel.branch, None)
        if pending is None:
            self._respond(cancel, 481)
            return
        if pending.timer:
            pending.timer.cancel()
        self._respond(cancel, 200)
        self._respond(pending.invite, 487)

    def _respond(self, request: Message, status: int) -> None:
        """Send a response without headers of its own."""
        self._send(response(request, status, _PHRASES.get(status, "Lab")))

    def _send(self, text: str) -> None:
        """Take a message down and send it, in this order: its effects come later than its time."""
        self._record.add("sent", self._connection, text)
        self._wire.write(encode(text))


def response(request: Message, status: int, reason: str, headers: Iterable[str] = ()) -> str:
    """Give a response to a request (RFC 3261 §8.2.6); all but a 100 have a To tag."""
    to = request.header("to")
    if status != HTTPStatus.CONTINUE and ";tag=" not in to:
        to = f"{to};tag={secrets.token_hex(5)}"
    copied = [f"{name}: {value}" for key, name in _COPIED for value in request.headers(key)]
    lines = [f"SIP/2.0 {status} {reason}", *copied, f"To: {to}", *headers, "Content-Length: 0"]
    return "\r\n".join([*lines, "", ""])
