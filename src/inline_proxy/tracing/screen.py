"""A trace on a terminal: a ladder that grows row by row, and each message below its row."""

from datetime import datetime
from typing import Final

from inline_proxy.lab.ladder import AROUND_LABEL, BETWEEN_NAMES, Row, draw
from inline_proxy.lab.message import Message
from inline_proxy.lab.passage import Passage
from inline_proxy.tracing.cast import CALLER, CLEARIP, PROXY, TARGET
from inline_proxy.tracing.traced_message import TracedMessage

COLUMN: Final = 25
"""Wide enough for "302 Moved Temporarily" between two neighbours."""
PLACES: Final = (CALLER, PROXY, CLEARIP, TARGET)
RESPONSE: Final = "SIP/2.0 "
ACTORS: Final = {name: name.center(COLUMN) for name in PLACES}
"""Names as wide as columns are, so that no row of a growing ladder stands elsewhere."""
MOST_CALLS: Final = 1_000


class GrowingLadder:
    """The ladders of the calls that are seen."""

    def __init__(self) -> None:
        self._calls: dict[str, list[Passage]] = {}
        self._last = ""

    def heading(self, message: TracedMessage) -> str | None:
        """Return what stands above a message: of another call than the last one, its names."""
        if message.call_id == self._last:
            return None
        self._last = message.call_id
        return f"\ncall {printable(message.call_id)}\n{draw((), tuple(ACTORS.values())).heading}"

    def row(self, message: TracedMessage) -> Row:
        """Return the row of a message."""
        if len(self._calls) > MOST_CALLS:
            self._calls.clear()
        passages = self._calls.setdefault(message.call_id, [])
        ends = ACTORS[message.sender], ACTORS[message.receiver]
        passages.append(Passage(message.at_s, *ends, Message.parse(_fitting(message))))
        return draw(passages, tuple(ACTORS.values())).rows[-1]


def _fitting(message: TracedMessage) -> str:
    """Return a message whose phrase fits between its ends: no row may move the columns."""
    first, _, rest = printable(message.text).partition("\n")
    between = abs(PLACES.index(message.sender) - PLACES.index(message.receiver))
    longest = len(RESPONSE) + between * (COLUMN + BETWEEN_NAMES) - AROUND_LABEL
    if first.startswith(RESPONSE) and len(first) > longest:
        first = f"{first[: longest - 1]}…"
    return f"{first}\n{rest}"


def block(message: TracedMessage) -> str:
    """Return a message with when and where it passed, for a terminal."""
    clock = datetime.fromtimestamp(message.at_s).astimezone().strftime("%H:%M:%S.%f")[:-3]
    way = f"{clock} {message.transport} {message.source} > {message.destination}"
    lines = (way, *printable(message.text).rstrip().split("\n"))
    return "\n".join(f"        {line}".rstrip() for line in lines) + "\n"


def printable(text: str) -> str:
    """Return a text of which a terminal acts on nothing but line ends."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines)
