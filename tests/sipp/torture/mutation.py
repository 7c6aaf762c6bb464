"""Messages that nobody has thought of: well-formed ones, damaged at random, the same each time."""

import re
from collections.abc import Callable
from random import Random

from sipp.torture.message import message
from sipp.torture.rfc4475_invalid import INVALID
from sipp.torture.rfc4475_other import OTHER
from sipp.torture.rfc4475_valid import VALID
from sipp.torture.rfc5118 import IPV6

LARGEST = 65_000
"""Bytes; about what one datagram holds."""
OVERFLOWING_LENGTH = re.compile(
    rb"(?im)^(?:content-length|l)\s*:\s*[0-9]{10}", re.IGNORECASE | re.MULTILINE
)
"""What crashes Kamailio 5.6 when it arrives over TCP or TLS (CVE-2026-39863)."""
PIECES = (
    b"\0",
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"\t ",
    b'"',
    b"<",
    b">",
    b";;",
    b",",
    b"@",
    b":",
    b"%00",
    b"%",
    b"\\",
    b"\xff\xfe",
    b"\xc3(",
    b"\xe2\x82\xac",
    b"-1",
    b"0",
    b"4294967296",
    b"99999999999999999999",
    b"[::1]",
    b"[",
    b"$ci$(hdr(x))",
    b";tag=",
    b";branch=z9hG4bK",
    b"SIP/2.0",
    b"Content-Length: 5\r\n",
    b"Via: SIP/2.0/UDP 127.0.0.9;branch=z9hG4bKx\r\n",
    b"Record-Route: <sip:127.0.0.9;lr>\r\n",
    b"{{{{",
)


def seeds(elsewhere: str) -> tuple[bytes, ...]:
    """Messages to begin with; what they lead to is `elsewhere`, a host with a port."""
    there = f"sip:[number]@{elsewhere}"
    inside = (f"Route: <sip:{elsewhere};lr>", "To: <sip:b@example.net>;tag=b")
    multipart = (
        b"--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b\r\nContent-Type: a/b\r\n\r\n"
        + bytes(range(256))
        + b"\r\n--b--\r\n"
    )
    made = (
        message(f"INVITE {there} SIP/2.0", f"Contact: <{there}>", f"Route: <sip:{elsewhere};lr>"),
        message(f"INVITE {there} SIP/2.0", "Content-Type: multipart/mixed", body=multipart),
        message(f"OPTIONS {there} SIP/2.0"),
        message(f"OPTIONS {there} SIP/2.0", "Via: SIP/2.0/UDP [sent-by];rport;branch=z9hG4bK1"),
        message(f"REGISTER {there} SIP/2.0", f"Contact: <{there}>;expires=60"),
        message(f"CANCEL {there} SIP/2.0"),
        *(message(f"{method} {there} SIP/2.0", *inside) for method in ("BYE", "ACK", "INVITE")),
        message("SIP/2.0 200 OK", "CSeq: 1 INVITE"),
        message("SIP/2.0 302 Moved", "CSeq: 1 INVITE", f"Contact: <{there}>;q=1"),
    )
    # A call is dearer than the others, so there are fewer of it.
    others = tuple(each.message for each in (*VALID, *INVALID, *OTHER, *IPV6))
    return made + tuple(each for each in others if not each.startswith(b"INVITE"))


class Mutations:
    """An endless row of damaged messages, the same for the same seed."""

    def __init__(self, seed: int, begin_with: tuple[bytes, ...]) -> None:
        self._random = Random(seed)  # noqa: S311 - the same each time is what is wanted
        self._seeds = begin_with
        self._made = 0

    def next(self, sent_by: str) -> bytes:
        """The next message; its Via leads to `sent_by`."""
        self._made += 1
        text = self._random.choice(self._seeds).replace(b"[sent-by]", sent_by.encode())
        text = text.replace(b"[number]", b"+1404%07d" % self._made)
        for _ in range(self._random.randint(1, 4)):
            text = self._random.choice(_DAMAGES)(text, self._random)
        return text[:LARGEST]


def _flip(text: bytes, random: Random) -> bytes:
    at = random.randrange(len(text) or 1)
    return text[:at] + bytes([random.randrange(256)]) + text[at + 1 :]


def _cut_out(text: bytes, random: Random) -> bytes:
    start, length = random.randrange(len(text) or 1), random.choice((1, 3, 20, 200))
    return text[:start] + text[start + length :]


def _repeat(text: bytes, random: Random) -> bytes:
    start, length = random.randrange(len(text) or 1), random.choice((1, 10, 100))
    piece = text[start : start + length] * random.choice((2, 5, 50, 300))
    return text[:start] + piece + text[start:]


def _insert(text: bytes, random: Random) -> bytes:
    at = random.randrange(len(text) or 1)
    return text[:at] + random.choice(PIECES) + text[at:]


def _end_early(text: bytes, random: Random) -> bytes:
    return text[: random.randrange(len(text) or 1)]


def _shuffle_lines(text: bytes, random: Random) -> bytes:
    first, *lines = text.split(b"\r\n")
    random.shuffle(lines)
    return b"\r\n".join((first, *lines))


def _double_a_line(text: bytes, random: Random) -> bytes:
    lines = text.split(b"\r\n")
    lines.insert(random.randrange(len(lines)), random.choice(lines))
    return b"\r\n".join(lines)


def _change_a_number(text: bytes, random: Random) -> bytes:
    numbers = list(re.finditer(rb"[0-9]+", text))
    if not numbers:
        return text
    chosen = random.choice(numbers)
    new = random.choice((b"", b"-1", b"0", b"65536", b"2147483647", b"9" * 30))
    return text[: chosen.start()] + new + text[chosen.end() :]


def _bare_line_feeds(text: bytes, _random: Random) -> bytes:
    return text.replace(b"\r\n", b"\n")


_DAMAGES: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip,
    _flip,
    _cut_out,
    _repeat,
    _insert,
    _insert,
    _end_early,
    _shuffle_lines,
    _double_a_line,
    _change_a_number,
    _bare_line_feeds,
)
