"""How one key of the configuration is declared: once, in the metadata of a dataclass field."""

from collections.abc import Mapping
from dataclasses import Field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:  # values are read by schemas, which are made of keys
    from inline_proxy.config.values import Reader

_ENTRY: Final = "key"


class Key(NamedTuple):
    """All that is known of a key besides its name, its type and its default."""

    field: "Reader"
    description: str
    unit: str | None
    example: str | None
    """As it is written in the file; None for a part, whose keys have their own."""


def key(
    field: "Reader", description: str, *, example: str | None = None, unit: str | None = None
) -> Mapping[str, Key]:
    """The metadata of a dataclass field that is a key of the configuration."""
    return MappingProxyType({_ENTRY: Key(field, description, unit, example)})


def key_of(field: "Field[Any]") -> Key:
    """What `key` declared for this dataclass field."""
    declared: Key = field.metadata[_ENTRY]
    return declared
