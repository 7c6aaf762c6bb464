"""What a transaction remembers between callbacks (the response context of RFC 3261 §16.6).

Kamailio runs the callbacks of one call in different processes, so nothing may live on an
object: the context travels as text in the transaction itself.
"""

import json
from typing import NamedTuple, Self

_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_DECODE = json.JSONDecoder().raw_decode


class HeaderChanges(NamedTuple):
    """What every branch to a target gets, apart from its Request-URI."""

    removed: tuple[str, ...] = ()
    """Names of header fields that the received request loses."""
    added: tuple[tuple[str, str], ...] = ()
    """(name, value) of header fields that are appended, in order."""


class FinalResponse(NamedTuple):
    """A final response worth keeping while the search goes on."""

    status: int
    reason_phrase: str
    headers: tuple[tuple[str, str], ...] = ()
    received: bool = True
    """False when the proxy made it, because nobody answered."""


class Target(NamedTuple):
    """Where a branch may go."""

    uri: str
    """The Request-URI."""
    changes: int = 0
    """Which of the context's header changes its branch gets."""
    next_hop: str = ""
    """The URI of one address of the target; empty when it is not known yet, or needs no look-up."""
    is_alternate: bool = False
    """Whether it is a further address of the target before it (RFC 3263 §4.3)."""


class ResponseContext(NamedTuple):
    """The state of one call attempt."""

    clearip_uri: str = ""
    """The Request-URI that ClearIP is asked with."""
    remaining: tuple[Target, ...] = ()
    """The targets not tried yet, most preferred first."""
    changes: tuple[HeaderChanges, ...] = (HeaderChanges(),)
    """The header changes that the targets name; most often one for all of them."""
    current: int = 0
    """Which header changes the branch that is being sent gets."""
    best: FinalResponse | None = None
    """The best final response among the targets tried before the current one."""
    search_ends_ms: int = 0
    """When the whole search is over, on the machine's monotonic clock."""
    tried: int = 0
    awaited: Target | None = None
    """The target that the call waits to learn the way to; None as a rule."""
    asked: tuple[str, ...] = ()
    """The URIs of the ClearIP addresses that were asked, the last one at the end."""
    connection: int = 0
    """Kamailio's id of the connection that ClearIP was asked on last."""
    transaction: str = ""
    """What the query that waits for ClearIP's answer is known by."""
    asked_again: bool = False
    """Whether ClearIP was asked once more because a PASSporT had grown old."""

    @property
    def site(self) -> str:
        """The ClearIP address that was asked last; empty for none."""
        return self.asked[-1] if self.asked else ""

    def to_text(self) -> str:
        """Return the text that `from_text` reads."""
        return _ENCODE(self)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote."""
        clearip_uri, remaining, changes, current, best, *others = _DECODE(text)[0]
        search_ends_ms, tried, awaited, asked, *rest = others
        return cls(
            clearip_uri,
            tuple(Target(*target) for target in remaining),
            tuple(HeaderChanges(tuple(removed), _pairs(added)) for removed, added in changes),
            current,
            best and FinalResponse(best[0], best[1], _pairs(best[2]), best[3]),
            search_ends_ms,
            tried,
            awaited and Target(*awaited),
            tuple(asked),
            *rest,
        )

    def with_failure(self, failure: FinalResponse) -> Self:
        """Remember a target's failure if it is better than those before it."""
        return self._replace(best=best_response(self.best, failure))


def best_response(one: FinalResponse | None, other: FinalResponse) -> FinalResponse:
    """Choose what the caller would rather know (RFC 3261 §16.7, step 6).

    A response that somebody sent says more than a timeout that the proxy noticed; then the
    lower class wins, as the RFC prefers, and among equals the first, whose target was
    preferred.
    """
    if one is None:
        return other
    return min(one, other, key=lambda response: (not response.received, response.status // 100))


def _pairs(lists: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in lists)
