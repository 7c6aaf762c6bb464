"""Patterns made for messages as they come: one look tells whether a message is plain, and reads it.

A switch sends the same header fields in the same order in every call, and so does ClearIP in its
answers. The first of a kind is looked at line by line, and a pattern is made for its kind: names
and order to the letter, every value as it may be. Whatever matches none is not plain.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

MOST = 64
"""Kinds that a process looks into; a pattern takes it some milliseconds to make."""
LINE = r"[ -~]*"
"""A value of no account: one line of ASCII."""


class Shape(NamedTuple):
    """What one kind of messages looks like."""

    match: Callable[[str], re.Match[str] | None]
    read: Sequence[int]
    """The groups that are read, in the order of whoever reads them."""
    fields: Counter[str]
    """How often each header field is there."""


class Shapes:
    """The kinds that have been seen."""

    def __init__(self, pattern_of: Callable[[list[str]], str | None], read: Sequence[str]) -> None:
        """`pattern_of` makes a pattern for the lines of a message; `read` names its groups."""
        self.pattern_of = pattern_of
        self._read = read
        self._made: set[str] = set()
        self.known: list[Shape] = []

    def learn(self, text: str) -> bool:
        """Look into a message that no pattern matches; tell whether a new one does."""
        head, end, _ = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        pattern = self.pattern_of(lines) if end else None
        if not pattern or pattern in self._made or len(self._made) >= MOST:
            return False
        self._made.add(pattern)
        compiled = re.compile(pattern, re.ASCII)
        groups = compiled.groupindex
        read = [groups[name] for name in self._read if name in groups]
        self.known.append(Shape(compiled.match, read, Counter(names_of(lines))))
        return compiled.match(text) is not None


def names_of(lines: list[str]) -> Iterator[str]:
    """Yield the names of the header fields."""
    return (line.partition(": ")[0] for line in lines[1:])
