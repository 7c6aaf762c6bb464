"""A client that talks to the stand-in byte by byte, as no SIP stack would."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inline_proxy.lab.message import Framer, Message, decode

CALLER = "+14045550150"


@dataclass
class Talker:
    """One connection and what has been read from it."""

    stream: socket.socket

    def __post_init__(self) -> None:
        self._framer = Framer()
        self._arrived: list[Message] = []

    def say(self, *texts: str) -> None:
        """Send the texts in one piece."""
        self.stream.sendall("".join(texts).encode())

    def hear(self) -> Message:
        """Wait for the next message; raises `EOFError` when the connection ends before."""
        while not self._arrived:
            data = self.stream.recv(65536)
            if not data:
                raise EOFError
            self._arrived += [Message.parse(decode(raw)) for raw in self._framer.feed(data)]
        return self._arrived.pop(0)

    def call(self, user: str) -> Message:
        """Call a number and give the first response."""
        self.say(request("INVITE", user))
        return self.hear()


def request(method: str, user: str, *, number: int = 1, body: str = "") -> str:
    """Give a request as the proxy would send it to ClearIP."""
    lines = [
        f"{method} sip:{user}@sip.clearip.com SIP/2.0",
        f"Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK{number}",
        "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKswitch",
        "Max-Forwards: 69",
        f'From: "Lab" <sip:{CALLER}@192.0.2.9>;tag=1',
        f"To: <sip:{user}@192.0.2.1>",
        f"Call-ID: call-{number}",
        f"CSeq: 1 {method}",
        f"Content-Length: {len(body)}",
        "",
        body,
    ]
    return "\r\n".join(lines)


@contextmanager
def talk(port: int, ca: Path | None, server_name: str = "sip.clearip.com") -> Iterator[Talker]:
    """Connect over TLS with a server name; without `ca` over plain TCP."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        if ca is None:
            yield Talker(plain)
            return
        context = ssl.create_default_context(cafile=str(ca))
        with context.wrap_socket(
            plain, server_hostname=server_name, suppress_ragged_eofs=False
        ) as stream:
            yield Talker(stream)
