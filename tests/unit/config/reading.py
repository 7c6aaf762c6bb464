"""What the tests of the configuration ask: which faults has this text, which keys has the model."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Final, NamedTuple

from inline_proxy.config import ConfigInvalid, ProxyConfig, parse_config
from inline_proxy.config.key import Key, key_of
from inline_proxy.config.reference import part_below
from inline_proxy.config.values import ListOf, Part

_REQUIRED: Final = {
    "sites[]": ("host: a.example",),
    "trusted[]": ("network: 192.0.2.1",),
    "display_names[]": ("match: (a)", "replace: b"),
}


class DeclaredKey(NamedTuple):
    """A key of the model, its path written with `[]` for every list on the way."""

    path: str
    key: Key

    @property
    def is_part(self) -> bool:
        """Whether the key holds nothing but other keys."""
        return isinstance(self.key.field, Part)

    @property
    def fault_path(self) -> str:
        """The path of a fault in the text that `written` makes."""
        return self.path.replace("[]", "[0]")

    def written(self, value: str) -> str:
        """The key with this value as a file in one line of YAML, with what it cannot do without."""
        return _written(self.path, value)


def _written(path: str, value: str) -> str:
    name, _, below = path.partition(".")
    if not below:
        return f"{name}: {value}"
    written = _written(below, value)
    others = (
        other for other in _REQUIRED.get(name, ()) if not written.startswith(other.split()[0])
    )
    entry = ", ".join((*others, written))
    if name.endswith("[]"):
        return f"{name.removesuffix('[]')}: [{{{entry}}}]"
    return f"{name}: {{{entry}}}"


def declared_keys(part: type = ProxyConfig, above: str = "") -> Iterator[DeclaredKey]:
    """Every key of the model, depth first."""
    for field in fields(part):
        declared = key_of(field)
        yield DeclaredKey(f"{above}{field.name}", declared)
        below = part_below(declared.field)
        if below is not None:
            entries = "[]" if isinstance(declared.field, ListOf) else ""
            yield from declared_keys(below, f"{above}{field.name}{entries}.")


def faults_of(text: str) -> list[str]:
    """Every fault of the text, without its line; none when it is valid."""
    try:
        parse_config(text)
    except ConfigInvalid as invalid:
        return [f"{fault.path}: {fault.message}" for fault in invalid.faults]
    return []
