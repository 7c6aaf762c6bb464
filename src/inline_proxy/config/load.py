"""From a file to a `ProxyConfig`, or to every fault that it has."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from inline_proxy.config.faults import ConfigInvalid, Fault, Keys, shown
from inline_proxy.config.model import ProxyConfig
from inline_proxy.config.rules import RULES, broken
from inline_proxy.config.schema import schema_of
from inline_proxy.config.source import Source, read_source


def load_config(path: Path) -> ProxyConfig:
    """Read and validate a file; raises `ConfigInvalid` with every fault.

    A fault of the file as a whole has the file's path in place of a key's.
    """
    try:
        return parse_config(_text_of(path))
    except ConfigInvalid as invalid:
        named = (replace(fault, keys=fault.keys or (str(path),)) for fault in invalid.faults)
        raise ConfigInvalid(tuple(named)) from None


def parse_config(text: str) -> ProxyConfig:
    """Validate the text of a configuration; raises `ConfigInvalid` with every fault."""
    return validate(read_source(text))


def validate(source: Source) -> ProxyConfig:
    """Validate what was read; raises `ConfigInvalid` with every fault, in the file's order."""
    data = {} if source.data is None else source.data
    if not isinstance(data, dict):
        raise ConfigInvalid((Fault((), f"is not a mapping of keys (found {shown(data)})"),))
    faults = _key_faults(data)
    # What has no fault of its own is still checked against the rest, the faulty keys left out.
    config: ProxyConfig = schema_of(ProxyConfig).load(_without(data, faults))
    faults += broken(RULES, config, faults)
    if faults:
        raise ConfigInvalid(_in_order(faults, source))
    return config


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start + 1})"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except ValueError:  # a null character in the name
        message = "cannot be read: no such name"
    raise ConfigInvalid((Fault((), message),))


def _key_faults(data: dict[str, Any]) -> list[Fault]:
    try:
        schema_of(ProxyConfig).load(data)
    except ValidationError as error:
        return list(_faults_in(error.messages, ()))
    return []


def _faults_in(messages: Any, keys: Keys) -> Iterator[Fault]:  # noqa: ANN401 - a tree
    if isinstance(messages, dict):
        for key, below in messages.items():
            yield from _faults_in(below, (*keys, key))
    else:
        for message in messages:
            yield Fault(keys, message)


def _without(data: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """The data less every key that a fault names; a list goes as a whole."""
    faulty = {_named(fault.keys) for fault in faults}

    def kept(value: Any, keys: Keys) -> Any:  # noqa: ANN401 - a tree
        if not isinstance(value, dict):
            return value
        return {
            name: kept(below, (*keys, name))
            for name, below in value.items()
            if (*keys, name) not in faulty
        }

    remaining: dict[str, Any] = kept(data, ())
    return remaining


def _named(keys: Keys) -> Keys:
    """The keys up to the first list index: the key whose value is at fault."""
    for position, key in enumerate(keys):
        if isinstance(key, int):
            return keys[:position]
    return keys


def _in_order(faults: list[Fault], source: Source) -> tuple[Fault, ...]:
    placed = (replace(fault, line=source.line_of(fault.keys)) for fault in faults)
    return tuple(sorted(placed, key=_place))


def _place(fault: Fault) -> tuple[int, list[tuple[int, str]], str]:
    """By line, then by key, list entries by their number; marshmallow keeps no order of its own."""
    keys = [(key, "") if isinstance(key, int) else (-1, key) for key in fault.keys]
    return fault.line or 0, keys, fault.message
