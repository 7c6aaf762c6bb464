"""Which records somebody wants to see, and what of them is hidden."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final

from inline_proxy import number_mask
from inline_proxy.observation.call_record import Record

FIRST_SUCCESS: Final = 200
FIRST_REDIRECTION: Final = 300
KEPT: Final = ("version", "id", "begun_at", "ended_at", "source_address")
_DIGITS: Final = re.compile(r"\d{5,}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a record must be; None and False choose nothing."""

    since: str | None = None
    """As `begun_at` is written."""
    call_id: str | None = None
    number: str | None = None
    """The last digits of the number that called or was called."""
    only_failed: bool = False
    only_blocked: bool = False

    def may_hold(self, line: bytes) -> bool:
        """Tell whether a line may be a record that is wanted: most need not be read for it."""
        needles = (self.call_id, (self.number or "").removeprefix("+"))
        return all(quoted(needle)[1:-1].encode() in line for needle in needles if needle) and (
            not self.only_blocked or b'"blocked"' in line
        )

    def __contains__(self, record: Mapping[str, Any]) -> bool:
        return (
            (self.since is None or record["begun_at"] >= self.since)
            and (self.call_id is None or record["call_id"] == self.call_id)
            and (self.number is None or self._is_of(record, self.number))
            and (not self.only_failed or _has_failed(record))
            and (not self.only_blocked or record["disposition"] == "blocked")
        )

    @staticmethod
    def _is_of(record: Mapping[str, Any], number: str) -> bool:
        wanted = number.removeprefix("+")
        return any(record[side].endswith(wanted) for side in ("from", "to"))


def _has_failed(record: Mapping[str, Any]) -> bool:
    status = record["status"] or 0
    return not FIRST_SUCCESS <= status < FIRST_REDIRECTION and not record["canceled"]


def masked(record: Record) -> Record:
    """Hide all but the last four digits of every number, wherever it stands in a record."""
    return _but(KEPT, _each_text(_last_four, record), record)


def kept_masked(record: Record) -> Record:
    """Hide the last six digits of every number, as `log.mask_numbers` has it; the Call-ID stays."""
    return _but((*KEPT, "call_id", "source"), _each_text(number_mask.masked, record), record)


def _but(names: tuple[str, ...], hidden: Record, record: Record) -> Record:
    return {**hidden, **{name: record[name] for name in names if name in record}}


def _last_four(text: str) -> str:
    return _DIGITS.sub(lambda found: "*" * (len(found[0]) - 4) + found[0][-4:], text)


def _each_text(mask: Callable[[str], str], value: Any) -> Any:  # noqa: ANN401 - as JSON holds it
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_each_text(mask, each) for each in value]
    if isinstance(value, dict):
        return {name: _each_text(mask, each) for name, each in value.items()}
    return value
