"""What a node of a group tells the others about itself, once a second.

A text is a checksum and JSON: what was overwritten while it was read is told from what was sent.
Another release may tell more, or less; what is not understood is left out.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

VERSION = 1


class Load(NamedTuple):
    """What one source asks of one node."""

    attempts: int
    """Calls that it began, or tried to, in the last full second."""
    calls: int
    """Calls that count for it at the moment."""


@dataclass(frozen=True, slots=True)
class News:
    """One node's."""

    sequence: int
    """One that grows: a text that was under way for long does not replace a later one."""
    start: str = ""
    """Another one at each start of the node, after which the sequence begins anew."""
    release: str = ""
    is_draining: bool = False
    begun: int = 0
    """Calls taken since its start."""
    cps: int = 0
    """Calls taken in the last full second."""
    sources: Mapping[str, Load] = field(default_factory=dict)
    """By the id of the source; those with limits alone, and not where both numbers are 0."""
    sites: Mapping[str, str] = field(default_factory=dict)
    """State of each address of the ClearIP sites, by its URI."""
    counters: Mapping[str, int] = field(default_factory=dict)
    ended: tuple[str, ...] = ()
    """Keys of calls that have ended on this node lately and were counted by another one."""
    observed: Mapping[str, int] = field(default_factory=dict)
    """What the node's observer has counted."""


class NotNewsError(ValueError):
    """A text is not what a node tells."""


def to_text(news: News) -> str:
    """Write news."""
    body = json.dumps({"version": VERSION, **asdict(news)}, separators=(",", ":"))
    return f"{_checksum(body)} {body}"


def from_text(text: str) -> News:
    """Read news; raises `NotNewsError`."""
    checksum, _, body = text.partition(" ")
    if checksum != _checksum(body):
        raise NotNewsError(text)
    try:
        return _news(json.loads(body))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotNewsError(text) from error


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode('utf-8', 'surrogateescape')):08x}"


def _news(values: dict[str, Any]) -> News:
    if values["version"] != VERSION:
        raise NotNewsError(str(values["version"]))
    loads = values.get("sources", {}).items()
    return News(
        sequence=_number(values["sequence"]),
        start=str(values.get("start", "")),
        release=str(values.get("release", "")),
        is_draining=bool(values.get("is_draining")),
        begun=_number(values.get("begun", 0)),
        cps=_number(values.get("cps", 0)),
        sources={source: Load(*map(_number, load)) for source, load in loads},
        sites={uri: str(state) for uri, state in values.get("sites", {}).items()},
        counters=_numbers(values.get("counters", {})),
        ended=tuple(map(str, values.get("ended", ()))),
        observed=_numbers(values.get("observed", {})),
    )


def _numbers(values: dict[str, Any]) -> dict[str, int]:
    return {name: _number(value) for name, value in values.items()}


def _number(value: object) -> int:
    """Take a whole number; a negative one would raise a limit."""
    if not isinstance(value, int) or value < 0:
        raise NotNewsError(str(value))
    return int(value)
