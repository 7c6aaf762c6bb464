"""SIP messages as the lab reads them; apart from the proxy's own parser, which it helps to test."""

import re
from dataclasses import dataclass
from typing import Final, Self

ENCODING: Final = "utf-8"
UNDECODABLE: Final = "surrogateescape"
LARGEST_HEAD: Final = 65_536
COMPACT_NAMES: Final = {
    "f": "from",
    "i": "call-id",
    "l": "content-length",
    "m": "contact",
    "t": "to",
    "v": "via",
    "y": "identity",
}
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_LINE_END: Final = re.compile(r"\r?\n")


class FramingError(ValueError):
    """The bytes of a connection can no longer be cut into messages."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response; header names are in lower case and in their long form."""

    start_line: str
    fields: tuple[tuple[str, str], ...]
    body: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one message; a line that is no header is left out rather than refused."""
        head, _, body = text.replace("\r\n", "\n").partition("\n\n")
        start_line, *lines = _LINE_END.split(_FOLD.sub(" ", head))
        fields = (line.partition(":") for line in lines if ":" in line)
        return cls(
            start_line,
            tuple((_long_name(name), value.strip()) for name, _, value in fields),
            body,
        )

    @property
    def is_request(self) -> bool:
        """Whether this is a request."""
        return not self.start_line.startswith("SIP/")

    @property
    def method(self) -> str:
        """The method of a request, or that of the request a response belongs to."""
        if self.is_request:
            return self.start_line.partition(" ")[0]
        return self.header("cseq").rpartition(" ")[2]

    @property
    def request_uri(self) -> str:
        """The Request-URI; empty for a response."""
        parts = self.start_line.split(" ")
        return parts[1] if self.is_request and len(parts) > 1 else ""

    @property
    def status(self) -> int:
        """The status code; 0 for a request."""
        code = self.start_line.split(" ")[1:2]
        return int(code[0]) if not self.is_request and code and code[0].isdecimal() else 0

    @property
    def reason_phrase(self) -> str:
        """The reason phrase; empty for a request."""
        return "" if self.is_request else " ".join(self.start_line.split(" ")[2:])

    def headers(self, name: str) -> list[str]:
        """Give the value of every header of that name, in order."""
        return [value for key, value in self.fields if key == name.lower()]

    def header(self, name: str) -> str:
        """Give the first header of that name; empty when there is none."""
        return next(iter(self.headers(name)), "")

    @property
    def branch(self) -> str:
        """The branch of the top Via: what names the transaction (RFC 3261 §17.1.3)."""
        found = re.search(r";\s*branch=([^;,\s]+)", self.header("via"))
        return found[1] if found else ""


class Framer:
    """Cuts a stream into messages by Content-Length (RFC 3261 §18.3)."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived and give the messages that are now complete.

        Line ends between messages are keep-alives (RFC 5626 §3.5.1) and are dropped. Raises
        `FramingError` for a head without end and for a Content-Length that is no number.
        """
        self._pending += data
        complete = []
        while message := self._next():
            complete.append(message)
        return complete

    def _next(self) -> bytes:
        """Take one message off the front; empty while there is none."""
        self._pending = self._pending.lstrip(b"\r\n")
        head, separator, rest = self._pending.partition(b"\r\n\r\n")
        if not separator:
            if len(head) > LARGEST_HEAD:
                raise FramingError(f"no end of the headers within {LARGEST_HEAD} bytes")
            return b""
        length = _content_length(decode(head))
        if len(rest) < length:
            return b""
        self._pending = rest[length:]
        return head + separator + rest[:length]


def decode(raw: bytes) -> str:
    """Give the text of a message; bytes that are not UTF-8 survive the way back."""
    return raw.decode(ENCODING, UNDECODABLE)


def encode(text: str) -> bytes:
    """Give the bytes of a message; the reverse of `decode`."""
    return text.encode(ENCODING, UNDECODABLE)


def _content_length(head: str) -> int:
    """Read Content-Length; a message on a stream that has none is taken to have no body."""
    value = Message.parse(head).header("content-length") or "0"
    if not value.isdecimal():
        raise FramingError(f"Content-Length is {value!r}, expected a number")
    return int(value)


def _long_name(name: str) -> str:
    """Give a header's name in lower case and long form (RFC 3261 §7.3.3)."""
    lower = name.strip().lower()
    return COMPACT_NAMES.get(lower, lower)
