"""The connections to ClearIP that calls may use, and in which order a call takes them.

The keeper writes them as one text that every process reads, so a call costs one look.
"""

import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

MAX_ASKED = 4
"""How many addresses one call may ask: each that stays silent costs it a whole timeout."""


class Line(NamedTuple):
    """A verified connection."""

    site: str
    """The URI of the site in the configuration."""
    hop: str
    """The URI of the address that it leads to."""
    connection: int
    """Kamailio's id of it; a new connection has a new one."""


Lines = tuple[tuple[Line, ...], ...]
"""By site, in order of preference; those of one site are worth the same."""


def to_text(lines: Iterable[Line]) -> str:
    """Write lines, those of a site together, for `from_text`."""
    return "\n".join(f"{line.site} {line.hop} {line.connection}" for line in lines)


@lru_cache(maxsize=4)
def from_text(text: str) -> Lines:
    """Read what `to_text` wrote."""
    parts = (line.split(" ") for line in text.splitlines())
    lines = [Line(site, hop, int(connection)) for site, hop, connection in parts]
    return tuple(tuple(group) for _, group in groupby(lines, key=lambda line: line.site))


def in_turn(lines: Lines, asked: tuple[str, ...], call_id: Callable[[], str]) -> list[Line]:
    """Return the lines that a call takes, those already asked left out.

    Site by site; the addresses of one share the calls, so that each is in use. `call_id` is
    only read where there is a choice.
    """
    turn: list[Line] = []
    for group in lines:
        if len(group) > 1:
            first = zlib.crc32(call_id().encode(errors="replace")) % len(group)
            turn += (*group[first:], *group[:first])
        else:
            turn += group
    if asked:
        turn = [line for line in turn if line.hop not in asked]
    return turn[: max(0, MAX_ASKED - len(asked))]
