"""A call as a text ladder: a column for each actor, a row for each message."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import accumulate, pairwise
from typing import Final

from inline_proxy.lab.passage import Passage

LIFELINE: Final = "│"
SHAFT: Final = "─"
CLOCK_WIDTH: Final = 7
NARROWEST_GAP: Final = 12
AROUND_LABEL: Final = 6  # a blank on both sides, the head, and some of the shaft
BETWEEN_NAMES: Final = 2


class Tone(Enum):
    """What kind of message a row shows, for whoever colours it."""

    REQUEST = auto()
    PROVISIONAL = auto()
    SUCCESS = auto()
    REDIRECT = auto()
    REFUSAL = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a ladder; `begin` and `end` are where its arrow is."""

    text: str
    begin: int
    end: int
    tone: Tone


@dataclass(frozen=True, slots=True)
class Ladder:
    """The drawing: a line with the names, and the rows below."""

    heading: str
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        return "\n".join([self.heading, *(row.text for row in self.rows)])


def draw(passages: Sequence[Passage], actors: Sequence[str]) -> Ladder:
    """Draw the passages of one call, which are in order of time, in columns for the actors.

    Raises `ValueError` when a passage has a sender or a receiver that is no actor.
    """
    lifelines = _lifelines(passages, actors)
    begin = passages[0].time if passages else 0.0
    drawn: set[tuple[str, ...]] = set()
    rows = []
    for passage in passages:
        key = _transmission(passage)
        rows.append(_row(passage, lifelines, begin, again=key in drawn))
        drawn.add(key)
    return Ladder(_heading(lifelines), tuple(rows))


def label(passage: Passage) -> str:
    """Give what stands on the arrow: the method, or status and phrase."""
    message = passage.message
    return message.method if message.is_request else f"{message.status} {message.reason_phrase}"


def tone(passage: Passage) -> Tone:
    """Give the kind of a message."""
    if passage.message.is_request:
        return Tone.REQUEST
    by_class = {1: Tone.PROVISIONAL, 2: Tone.SUCCESS, 3: Tone.REDIRECT}
    return by_class.get(passage.message.status // 100, Tone.REFUSAL)


def signatures(passage: Passage) -> int:
    """Count the signatures of a message; several may share one header (RFC 8224 §4)."""
    return sum(value.count(",") + 1 for value in passage.message.headers("identity"))


def _row(passage: Passage, lifelines: dict[str, int], begin: float, *, again: bool) -> Row:
    """Draw one message."""
    here, there = lifelines[passage.sender], lifelines[passage.receiver]
    left, right = min(here, there), max(here, there)
    line = _blank(lifelines)
    shaft = f" {label(passage)} ".center(right - left - 2, SHAFT)
    line[left + 1 : right] = f"{shaft}>" if here < there else f"<{shaft}"
    clock = f"{(passage.time - begin) * 1000:{CLOCK_WIDTH - 2}.0f}"
    text = f"{clock}{''.join(line)[len(clock) :]}  {_note(passage, again=again)}".rstrip()
    return Row(text, left + 1, right, tone(passage))


def _note(passage: Passage, *, again: bool) -> str:
    """Give what stands to the right: a retransmission, the signatures, where an INVITE goes."""
    count = signatures(passage)
    words = [
        "again" if again else "",
        "" if count == 0 else "Identity" if count == 1 else f"Identity x{count}",
        passage.message.request_uri if passage.message.method == "INVITE" else "",
    ]
    return "  ".join(word for word in words if word)


def _transmission(passage: Passage) -> tuple[str, ...]:
    """Give what two transmissions of the same message have in common (RFC 3261 §17)."""
    message = passage.message
    ends = (passage.sender, passage.receiver, message.header("to"))
    return (*ends, message.start_line, message.branch, message.header("cseq"))


def _lifelines(passages: Sequence[Passage], actors: Sequence[str]) -> dict[str, int]:
    """Give the column of each actor's line, wide enough for the labels between them."""
    places = {actor: place for place, actor in enumerate(actors)}
    gaps = [
        max(NARROWEST_GAP, (len(left) + len(right)) // 2 + BETWEEN_NAMES)
        for left, right in pairwise(actors)
    ]
    for passage in passages:
        try:
            ends = places[passage.sender], places[passage.receiver]
        except KeyError as error:
            raise ValueError(f"{error} is not one of the actors") from None
        begin, end = sorted(ends)
        missing = len(label(passage)) + AROUND_LABEL - sum(gaps[begin:end])
        gaps[end - 1] += max(0, missing)
    first = CLOCK_WIDTH + len(actors[0]) // 2
    return dict(zip(actors, accumulate(gaps, initial=first), strict=True))


def _blank(lifelines: dict[str, int]) -> list[str]:
    """Give a line with nothing but lifelines."""
    columns = set(lifelines.values())
    return [LIFELINE if place in columns else " " for place in range(max(columns) + 1)]


def _heading(lifelines: dict[str, int]) -> str:
    """Give the line with the names, each above its lifeline."""
    line = f"{'ms':>{CLOCK_WIDTH - 2}}"
    for name, column in lifelines.items():
        line = f"{line:<{column - len(name) // 2}}{name}"
    return line
