"""Keys that this release validates, but whose behaviour is still to come.

To make a key work, remove its row; nothing else names it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields
from typing import Any, Final, NamedTuple

from inline_proxy.config.faults import Fault, Keys
from inline_proxy.config.model import ProxyConfig


class Row(NamedTuple):
    """A key that must keep its default; `[]` after a name stands for every entry of the list."""

    path: str
    reason: str
    also_works: tuple[object, ...] = ()
    """Typed values besides the default that this release carries out."""


NOT_SUPPORTED_YET: Final = (
    Row("admin.listen", "this release has no HTTP server", also_works=(None,)),
)


def unsupported(rows: Iterable[Row], config: ProxyConfig) -> list[Fault]:
    """A fault for every key of the rows that has another value than its default."""
    return [
        Fault(keys, f"not supported yet: {row.reason}; leave this key out")
        for row in rows
        for keys, default, value in _values(row.path.split("."), config, ())
        if value != default and value not in row.also_works
    ]


def _values(names: list[str], part: Any, keys: Keys) -> Iterator[tuple[Keys, Any, Any]]:  # noqa: ANN401
    name = names[0].removesuffix("[]")
    value, here = getattr(part, name), (*keys, name)
    if len(names) == 1:
        yield here, _default(part, name), value
    elif names[0].endswith("[]"):
        for index, entry in enumerate(value):
            yield from _values(names[1:], entry, (*here, index))
    else:
        yield from _values(names[1:], value, here)


def _default(part: Any, name: str) -> object:  # noqa: ANN401 - any dataclass of the model
    declared = next(field for field in fields(part) if field.name == name)
    if declared.default_factory is not MISSING:
        return declared.default_factory()
    return declared.default
