"""How many calls are taken when there are more than the proxy carries: fewer, early and fairly.

A call that is refused at once finds its way over another route (RFC 7339 §1 says what happens
without: retransmissions, and less and less that succeeds). Ten times a second somebody looks how
full the proxy is; from that follows a ceiling of calls per second, and from the ceiling what each
source may take of it.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

FULL_QUEUE_BYTES = 128 * 1024
"""Waiting in one UDP socket: about a third of what Linux lets wait before it drops."""
FULL_LOOKS = 3
"""So many looks of a second that find the queue full are no burst any more."""
LEAST_CPS = 20
"""A full queue alone brings the ceiling no lower: calls that end need nothing of it."""
SECOND_MS = 1000


class Load(NamedTuple):
    """What one look shows."""

    now_ms: int
    begun: int
    """Calls that were taken since the start."""
    queued_bytes: int
    """In the fullest of the UDP sockets."""
    memory_percent: float
    """How much of the shared memory is in use."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What is known between two looks."""

    cps: int = 0
    """Calls per second that are taken; 0: all."""
    since_ms: int = 0
    """When the second that is being looked at began."""
    begun: int = 0
    """Calls taken until then."""
    full_looks: int = 0
    """How many looks of it found the queue full."""

    def after(self, load: Load, memory_limit_percent: int) -> "Ceiling":
        """Return what is known after another look.

        Without memory a source has one call per second left, at once. A full queue lowers the
        ceiling once a second to less than was taken, and a second without raises it, until the
        calls that come need no more than half of it.
        """
        full_looks = self.full_looks + (load.queued_bytes >= FULL_QUEUE_BYTES)
        if load.memory_percent >= memory_limit_percent:
            return Ceiling(1, load.now_ms, load.begun)
        elapsed_ms = load.now_ms - self.since_ms
        if elapsed_ms < SECOND_MS:
            return replace(self, full_looks=full_looks)
        taken_cps = (load.begun - self.begun) * SECOND_MS // elapsed_ms
        is_overloaded = full_looks >= FULL_LOOKS
        cps = lowered(taken_cps) if is_overloaded else raised(self.cps, taken_cps)
        return Ceiling(cps, load.now_ms, load.begun)


def lowered(taken_cps: int) -> int:
    """Return the ceiling after a second in which so many calls were too many."""
    return max(LEAST_CPS, taken_cps * 9 // 10)


def raised(cps: int, taken_cps: int) -> int:
    """Return the ceiling after a second that went well; 0 when nothing needs it."""
    return 0 if taken_cps * 2 < cps > LEAST_CPS else cps and cps * 5 // 4 + 5


def lower_of(cps: int, max_cps: int | None) -> int:
    """Return the ceiling of the two that is lower; 0 stands for none."""
    return min(filter(None, (cps, max_cps)), default=0)


class Second(NamedTuple):
    """The call attempts of a second, as one source sees it."""

    own: int
    total: int
    sources: int


def is_taken(attempt: int, taken: int, before: Second, ceiling_cps: int) -> bool:
    """Tell whether a source's so-many-th attempt of this second is taken.

    A source has its share of the ceiling whatever the others do. What they left of theirs in the
    second `before` it may take besides, as long as fewer than the ceiling were `taken`.
    """
    sources = before.sources + (before.own == 0)
    if attempt <= -(-ceiling_cps // sources):
        return True
    left_by_others = ceiling_cps - (before.total - before.own)
    return attempt <= left_by_others and taken < ceiling_cps
