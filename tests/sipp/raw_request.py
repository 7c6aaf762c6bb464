"""Requests that SIPp would not send: single datagrams, to the letter."""

import select
import socket
from typing import Self

from inline_proxy.lab.message import Message, decode, encode
from sipp.place import Place

PATIENCE_S = 10
LARGEST = 65_535


def request(method: str, number: str, proxy: Place, *lines: str, **changed: str) -> str:
    """A request outside any dialog, without body.

    `lines` are more header lines. `changed` gives other values to the usual header lines, named
    in lower case and with underscores (an empty one leaves the line out), and to `uri`.
    """
    uri = changed.pop("uri", f"sip:{number}@{proxy.host_port}")
    usual = {
        "from": f"<sip:+14045550100@{proxy.host}>;tag=raw",
        "to": f"<sip:{number}@{proxy.host_port}>",
        "call_id": f"{number}-raw",
        "cseq": f"1 {method}",
        "contact": "<sip:raw@127.0.0.1>",
        "max_forwards": "70",
        "content_length": "0",
    }
    headers = [
        f"{name.replace('_', '-').title()}: {value}"
        for name, value in (usual | changed).items()
        if value
    ]
    via = f"Via: SIP/2.0/UDP [sent-by];rport;branch=z9hG4bK{number}.raw"
    return "\r\n".join((f"{method} {uri} SIP/2.0", via, *headers, *lines, "", ""))


class RawCaller:
    """A UDP socket that sends requests and hears what comes back."""

    def __init__(self, proxy: Place, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.connect(proxy.endpoint)
        self._socket.settimeout(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, text: str) -> None:
        """Send a request; `[sent-by]` in it becomes this socket's address."""
        host, port = self._socket.getsockname()
        self._socket.send(encode(text.replace("[sent-by]", f"{host}:{port}")))

    def hear(self) -> Message:
        """Wait for a message; raises `TimeoutError`."""
        return Message.parse(decode(self._socket.recv(LARGEST)))

    def hear_final(self) -> Message:
        """Wait for a final response; provisional ones are passed over."""
        while (message := self.hear()).status < 200:
            pass
        return message

    def has_heard_nothing(self) -> bool:
        """Whether nothing is waiting to be heard."""
        return not self.hears_within(0)

    def hears_within(self, limit_s: float) -> bool:
        """Wait until something is to be heard; False when that takes too long."""
        waiting, _, _ = select.select([self._socket], [], [], limit_s)
        return bool(waiting)


def ask(proxy: Place, text: str) -> Message:
    """Send one request and give its final response."""
    with RawCaller(proxy) as caller:
        caller.send(text)
        return caller.hear_final()
