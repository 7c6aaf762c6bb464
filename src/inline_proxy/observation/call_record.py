"""The record of one call attempt: a pure function of what was told of it.

`docs/call-record.schema.json` describes it; a test holds the two together.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from inline_proxy.observation.call_set_up import Event, SetUp, between_ms
from inline_proxy.observation.disposition import disposition_of
from inline_proxy.observation.passport_claims import claims_of

VERSION: Final = 1
FIRST_REDIRECTION: Final = 300
_URI: Final = re.compile(r"(?:sips?|tel):(?://)?(?P<user>[^@;?>]*)", re.IGNORECASE)
_VERSTAT: Final = re.compile(r";\s*verstat=(?P<value>[^;>@\s,]+)", re.IGNORECASE)

Record = dict[str, Any]


def record_of(call: str, epoch_us: int, events: Sequence[Event]) -> Record:
    """Return the record of a call attempt whose set-up is over, or was cut off.

    The first event is the one that began it; the others stand in the order they were told.
    Raises `TypeError` or `ValueError` where one cannot be understood.
    """
    told = SetUp(events)
    end_us, rang_us, delay_us = told.end_us, told.rang_us, told.own_delay_us
    return {
        "version": VERSION,
        "id": call,
        "begun_at": moment(epoch_us + told.begun_us),
        "ended_at": None,
        "call_id": told.call_id,
        "source": told.source,
        "source_address": told.address,
        "from": number_of(told.from_uri),
        "to": number_of(told.to_uri),
        "disposition": disposition_of(told).value,
        "end": _how_it_ended(told),
        "status": told.status,
        "phrase": told.phrase,
        "canceled": told.is_canceled,
        "clearip": told.queries,
        "contacts": told.contacts,
        "attempts": told.attempts,
        "answered_by": told.answered_by,
        "setup_ms": None if end_us is None else between_ms(told.begun_us, end_us),
        "ring_ms": None if end_us is None or rang_us is None else between_ms(rang_us, end_us),
        "talk_ms": None,
        "own_delay_ms": None if delay_us is None else delay_us / 1000,
        "request_bytes": told.size_bytes,
        "passports": [claims_of(each) for each in told.identities],
        "verstat": _verstat(told.asserted),
        "hung_up_by": None,
    }


def hung_up(record: Record, at_us: int, talk_ms: float, by: str) -> Record:
    """Return the record of an answered call that somebody has ended."""
    ended = moment(at_us)
    return {**record, "end": "hung_up", "ended_at": ended, "talk_ms": talk_ms, "hung_up_by": by}


def cut_off(record: Record, at_us: int) -> Record:
    """Return the record of a call that the proxy lost sight of, because it was stopped."""
    return {**record, "end": "cut_off", "ended_at": moment(at_us)}


def moment(at_us: int) -> str:
    """Return a time as records hold it (RFC 3339, UTC, microseconds)."""
    second, us = divmod(at_us, 1_000_000)
    return f"{_second(second)}.{us:06d}+00:00"


@lru_cache(64)
def _second(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def number_of(uri: str) -> str:
    """Return the user of a SIP URI, or the number of a tel URI; the whole text of neither."""
    match = _URI.match(uri)
    return match["user"] if match and ("@" in uri or uri[:4].lower() == "tel:") else uri


def _how_it_ended(told: SetUp) -> str:
    if told.status is None:
        return "cut_off"
    if told.status < FIRST_REDIRECTION:
        return "open"
    return "canceled" if told.is_canceled else "refused"


def _verstat(asserted: Iterable[str]) -> str | None:
    found = (_VERSTAT.search(value) for value in asserted)
    return next((match["value"] for match in found if match), None)
