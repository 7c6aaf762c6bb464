"""Messages that a specification calls torture, and what is to become of them."""

from collections.abc import Iterable
from dataclasses import dataclass

COMPACT = {
    "via": "v",
    "from": "f",
    "to": "t",
    "call-id": "i",
    "content-length": "l",
    "contact": "m",
}
"""The short names of the usual header fields (RFC 3261 §7.3.3)."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What becomes of a message."""

    status: int | None
    """Of the final response; None for silence."""
    asks_clearip: bool = False


CALL = Treatment(603, asks_clearip=True)
"""It is a call like any other: ClearIP is asked, and declines it in these tests."""
SILENCE = Treatment(None)
NOT_UNDERSTOOD = Treatment(None)
"""Valid, and yet Kamailio's parser drops it: a limit that no switch in use is known to meet."""
OK = Treatment(200)
BAD_REQUEST = Treatment(400)
NOT_ALLOWED = Treatment(405)


@dataclass(frozen=True, slots=True)
class Torture:
    """One message: its name and clause in the RFC, what is odd about it, what it must come to."""

    name: str
    clause: str
    about: str
    treatment: Treatment
    message: bytes

    def text_for(self, number: str, sent_by: str) -> bytes:
        """The message for one test: with a Call-ID and a number of its own, and a way back."""
        named = self.message.replace(b"[number]", number.encode())
        return named.replace(b"[sent-by]", sent_by.encode())


def message(
    start_line: str,
    *lines: str | bytes,
    without: Iterable[str] = (),
    body: bytes = b"",
) -> bytes:
    """A message with the usual header fields, but for those among `lines` and in `without`.

    `[number]` and `[sent-by]` in it are replaced for each test. Lines stand before the usual
    fields, to the letter.
    """
    given = [line if isinstance(line, bytes) else line.encode() for line in lines]
    named = {line.partition(b":")[0].strip().decode("latin-1").lower() for line in given}
    left_out = named | {name.lower() for name in without}
    usual = {
        "Via": "SIP/2.0/UDP [sent-by];branch=z9hG4bK[number]",
        "From": "<sip:+14045550100@example.com>;tag=torture",
        "To": "<sip:[number]@example.net>",
        "Call-ID": "[number]-torture",
        "CSeq": f"1 {start_line.split(' ', maxsplit=1)[0]}",
        "Contact": "<sip:torture@192.0.2.1>",
        "Max-Forwards": "70",
        "Content-Length": str(len(body)),
    }
    added = [
        f"{name}: {value}".encode()
        for name, value in usual.items()
        if not {name.lower(), COMPACT.get(name.lower(), "")} & left_out
    ]
    return b"\r\n".join((start_line.encode(), *given, *added, b"", body))
