"""The reference of the configuration, written from the model: `docs/configuration.md`.

`python3 -m inline_proxy.config.reference` prints it.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Final

from inline_proxy.config.key import Key, key_of
from inline_proxy.config.model import ProxyConfig
from inline_proxy.config.rules import RULES
from inline_proxy.config.trusted import TrustedSource
from inline_proxy.config.values import ListOf, NamesTo, Part, Reader

_INTRODUCTION: Final = """\
# Configuration

This page is written from the model by `python3 -m inline_proxy.config.reference`.

The configuration is one YAML 1.2 file in UTF-8, `/etc/inline-proxy/config.yaml`. Every key has a
default, so an empty file is a working configuration, and so is a part with nothing under it.
Unknown keys and keys that stand twice are errors. Files are named by absolute paths; they must
exist and be readable where the configuration is checked.

`inline-proxy check CONFIG` names every fault in one go, each on a line of its own:

```
clearip.sites[1].port: is not a port (found 70000); allowed: a whole number from 1 to 65535 [line 9]
```
"""
_READS_AS_TEXT: Final = re.compile(r"(?![0-9]+$)[A-Za-z0-9_./-]+(:[0-9]+)?")


def reference() -> str:
    """The whole page, in Markdown."""
    return "\n".join(
        [
            _INTRODUCTION,
            "## All defaults\n",
            "```yaml",
            *_defaults(ProxyConfig(), ""),
            "```\n",
            *_keys_of(ProxyConfig, ""),
            "## Rules between keys\n",
            *(f"- {rule.sentence}" for rule in RULES),
            "",
        ]
    )


def _defaults(part: Any, indent: str) -> Iterator[str]:  # noqa: ANN401 - any dataclass of the model
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(key_of(field).field, Part):
            yield f"{indent}{field.name}:"
            yield from _defaults(value, indent + "  ")
        else:
            yield f"{indent}{field.name}: {as_yaml(value)}"


def _keys_of(part: type, above: str) -> Iterator[str]:
    """The sections of all keys of a part, each followed by those of the keys within it."""
    for field in fields(part):
        path = f"{above}{field.name}"
        declared = key_of(field)
        yield f"{'###' if above else '##'} `{path}`\n"
        yield f"{declared.description}\n"
        if not isinstance(declared.field, Part):
            yield from _facts(field, declared)
        below = part_below(declared.field)
        if below is not None:
            entries = "[]" if isinstance(declared.field, ListOf) else ""
            yield from _keys_of(below, f"{path}{entries}.")


def part_below(field: Reader) -> type | None:
    """The part whose keys stand below a key, in its mapping or in every entry of its list."""
    inner = field.inner if isinstance(field, ListOf) else field
    return inner.part if isinstance(inner, Part) else None


def _facts(field: "Field[Any]", declared: Key) -> Iterator[str]:
    yield f"- Allowed: {declared.field.allowed}"
    if isinstance(declared.field, NamesTo):
        yield f"- Each name: {declared.field.names.allowed}"
    if isinstance(declared.field, ListOf | NamesTo) and part_below(declared.field) is None:
        yield f"- Each entry: {declared.field.inner.allowed}"
    yield f"- Default: {_default(field)}"
    if declared.unit is not None:
        yield f"- Unit: {declared.unit}"
    yield f"- Example: `{field.name}: {declared.example}`"
    yield ""


def _default(field: "Field[Any]") -> str:
    if field.default is not MISSING:
        return f"`{as_yaml(field.default)}`"
    if field.default_factory is not MISSING:
        return f"`{as_yaml(field.default_factory())}`"
    return "none, the key must be given"


def as_yaml(value: object) -> str:
    """A typed value of the model as it is written in the file, on one line."""
    if value is None or isinstance(value, int):
        return json.dumps(value)
    if isinstance(value, frozenset):
        return as_yaml(tuple(sorted(value)))
    if isinstance(value, tuple):
        return f"[{', '.join(map(as_yaml, value))}]"
    if isinstance(value, TrustedSource) and value == TrustedSource(value.network):
        return as_yaml(value.network)
    if is_dataclass(value) and all(field.metadata for field in fields(value)):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {as_yaml(entry)}' for name, entry in value.items())}}}"
    text = str(value)
    return text if _READS_AS_TEXT.fullmatch(text) else json.dumps(text)


if __name__ == "__main__":
    sys.stdout.write(reference())
