"""What is wrong with a configuration, told so that a person can put it right."""

import json
from dataclasses import dataclass
from typing import Final

Keys = tuple[str | int, ...]
"""Where a value stands: mapping keys and list indices from the top of the file."""

_LONGEST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, at one place of the configuration."""

    keys: Keys
    message: str
    line: int | None = None

    @property
    def path(self) -> str:
        """The place as a person writes it: `clearip.sites[1].port`."""
        text = ""
        for key in self.keys:
            if isinstance(key, int):
                text += f"[{key}]"
            else:
                text += ("." if text else "") + _printable(key)
        return text or "configuration"

    def __str__(self) -> str:
        line = "" if self.line is None else f" [line {self.line}]"
        return f"{self.path}: {self.message}{line}"


class ConfigInvalid(Exception):
    """The configuration cannot be used; `faults` names every reason, in the file's order."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class Refused(ValueError):
    """A value is not allowed; `wrong`, if given, is more precise than the key's own sentence."""

    def __init__(self, wrong: str = "") -> None:
        super().__init__(wrong)
        self.wrong = wrong


def shown(value: object) -> str:
    """The value as a message may show it: on one line, short, and never a private key."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return _shown_text(value)
    if isinstance(value, list | dict):
        kind = "list" if isinstance(value, list) else "mapping"
        return f"a {kind}" if value else f"an empty {kind}"
    return str(value)[:_LONGEST_SHOWN]


def _shown_text(value: str) -> str:
    if _may_be_a_key(value):
        return "a text that is not shown"
    if len(value) > _LONGEST_SHOWN:
        value = f"{value[:_LONGEST_SHOWN]}…"
    # Not printable: control characters, line separators, lone surrogates.
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _printable(key: str) -> str:
    if _may_be_a_key(key):
        return "(not shown)"
    return key if key and key.isprintable() else _shown_text(key)


def _may_be_a_key(text: str) -> bool:
    return "\n" in text or "-----BEGIN" in text
