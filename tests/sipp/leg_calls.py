"""Calls at a steady rate from one UDP socket, as many as a test likes while others run.

A call is an INVITE, the final response and its ACK: ClearIP refuses it, or the proxy does.
Nothing is sent twice, so a request that the proxy loses is a call without an answer.
"""

import itertools
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from inline_proxy.lab.message import Message, decode, encode
from sipp.clearip import HOST
from sipp.place import Place
from sipp.waiting import wait_until

LARGEST: Final = 65_535
PATIENCE_S: Final = 10
SERIAL = itertools.count(1)


@dataclass(slots=True)
class Call:
    """One call: what its caller sent and heard; times are those of the monotonic clock."""

    invite: str
    call_id: str
    sent_s: float
    heard: list[Message] = field(default_factory=list)
    answered_s: float | None = None

    @property
    def final(self) -> Message:
        """The final response; raises `AssertionError` when there was none."""
        assert self.answered_s is not None, f"{self.call_id} was left without an answer"
        return self.heard[-1]

    @property
    def status(self) -> int:
        """The status code of the final response; 0 for a call that was left without one."""
        return 0 if self.answered_s is None else self.final.status

    @property
    def took_ms(self) -> float:
        """How long the caller waited for the final response."""
        assert self.answered_s is not None, f"{self.call_id} was left without an answer"
        return 1000 * (self.answered_s - self.sent_s)

    @property
    def ack(self) -> str:
        """The ACK to the final response (RFC 3261 §17.1.1.3)."""
        lines = self.invite.replace("INVITE", "ACK").split("\r\n")
        return "\r\n".join(
            f"To: {self.final.header('to')}" if line.startswith("To:") else line for line in lines
        )


class Calls:
    """Calls to one number, one after another without waiting for the answers, in a thread."""

    def __init__(self, proxy: Place, number: str, *, rate: float, count: int | None = None) -> None:
        """Place `rate` calls a second, `count` of them or until the context ends."""
        self._proxy = proxy
        self._number = number
        self._interval_s = 1 / rate
        self._count = count
        self._calls: dict[str, Call] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.connect(proxy.endpoint)
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calls")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_ending.set()
        self._thread.join()
        self._socket.close()

    @property
    def placed(self) -> list[Call]:
        """The calls so far, in the order in which they were placed."""
        return list(self._calls.values())

    @property
    def answered(self) -> list[Call]:
        """Those that have got a final response so far."""
        return [call for call in self.placed if call.answered_s is not None]

    def wait_for_answers(self, count: int) -> None:
        """Wait until so many calls have been answered in all."""
        wait_until(lambda: len(self.answered) >= count, f"{count} calls are answered")

    def wait_for_more(self, count: int) -> None:
        """Wait until so many calls have been answered that are placed from now on."""
        begun_s = time.monotonic()

        def are_answered() -> bool:
            return sum(call.sent_s > begun_s for call in self.answered) >= count

        wait_until(are_answered, f"{count} more calls are answered")

    def _run(self) -> None:
        """Place calls, and hear what comes, until every call has its answer or time is over."""
        next_s = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while self._places_more() or self._waits():
                now_s = time.monotonic()
                if self._places_more() and now_s >= next_s:
                    self._place()
                    next_s += self._interval_s
                if selector.select(max(0.0, min(next_s - now_s, 0.05))):
                    self._hear()

    def _places_more(self) -> bool:
        is_complete = self._count is not None and len(self._calls) >= self._count
        return not is_complete and not self._is_ending.is_set()

    def _waits(self) -> bool:
        oldest_s = time.monotonic() - PATIENCE_S
        return any(c.answered_s is None and c.sent_s > oldest_s for c in self._calls.values())

    def _place(self) -> None:
        host, port = self._socket.getsockname()
        serial = next(SERIAL)
        call_id = f"{self._number}-leg-{serial}"
        invite = "\r\n".join(
            (
                f"INVITE sip:{self._number}@{self._proxy.host_port} SIP/2.0",
                f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bKleg{serial}",
                f"From: <sip:+14045550100@{host}>;tag=leg{serial}",
                f"To: <sip:{self._number}@{self._proxy.host_port}>",
                f"Call-ID: {call_id}",
                "CSeq: 1 INVITE",
                f"Contact: <sip:leg@{host}:{port}>",
                "Max-Forwards: 70",
                "Content-Length: 0",
                "",
                "",
            )
        )
        self._calls[call_id] = Call(invite, call_id, time.monotonic())
        self._socket.send(encode(invite))

    def _hear(self) -> None:
        message = Message.parse(decode(self._socket.recv(LARGEST)))
        call = self._calls[message.header("call-id")]
        if call.answered_s is not None:
            return
        call.heard.append(message)
        if message.status >= 200:
            call.answered_s = time.monotonic()
            self._socket.send(encode(call.ack))


def place_call(proxy: Place, number: str) -> Call:
    """Place one call and wait for its end."""
    with Calls(proxy, number, rate=1, count=1) as calls:
        calls.wait_for_answers(1)
    return calls.placed[0]


def median_ms(calls: Iterable[Call]) -> float:
    """The median time until the final response."""
    return statistics.median(call.took_ms for call in calls)
