"""The record of one call attempt: a pure function of what was told of it.

`docs/call-record.schema.json` describes it; a test holds the two together. A record is made as the
text that is written, for most are never looked at by anybody: one as an object costs twice as much.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final, NamedTuple

from inline_proxy.observation.call_set_up import Attempt, Query, SetUp
from inline_proxy.observation.disposition import disposition_of

VERSION: Final = 1
NULL: Final = "null"
OPEN: Final = "open"
"""The end of a set-up that leads to a conversation."""
_URI: Final = re.compile(r"(?:sips?|tel):(?://)?(?P<user>[^@;?>]*)", re.IGNORECASE)
_VERSTAT: Final = re.compile(r";\s*verstat=(?P<value>[^;>@\s,]+)", re.IGNORECASE)
_FRACTIONS: Final = [str(us / 1000)[1:] for us in range(1000)]
LONGEST_EXACT_US: Final = 10**15
"""Below it a floating-point number has the digits of any count of microseconds."""

Record = dict[str, Any]


class RecordLine(NamedTuple):
    """A record as it is written."""

    id: str
    text: str
    """JSON, with a line end."""

    @property
    def record(self) -> Record:
        """The record as an object."""
        record: Record = json.loads(self.text)
        return record


class OpenRecord(NamedTuple):
    """The record of a call attempt that has its final response, without its end."""

    id: str
    text: str
    """All members but those of the end."""

    def ended(
        self, end: str, at_us: int | None = None, talk_us: int | None = None, by: str | None = None
    ) -> RecordLine:
        """Return the whole record; `by` is who hung up."""
        ended_at = NULL if at_us is None else f'"{moment(at_us)}"'
        hung_up_by = NULL if by is None else f'"{by}"'
        return RecordLine(
            self.id,
            f'{self.text},"end":"{end}","ended_at":{ended_at},"talk_ms":{ms(talk_us)},'
            f'"hung_up_by":{hung_up_by}}}\n',
        )


def record_of(call: str, epoch_us: int, told: SetUp) -> OpenRecord:
    """Return the record of a call attempt whose set-up is over, or was cut off."""
    begun_us, end_us, rang_us = told.begun_us, told.end_us, told.rang_us
    setup_us = None if end_us is None else max(0, end_us - begun_us)
    ring_us = None if end_us is None or rang_us is None else max(0, end_us - rang_us)
    return OpenRecord(
        call,
        f'{{"version":{VERSION},"id":{quoted(call)},"begun_at":"{moment(epoch_us + begun_us)}",'
        f'"call_id":{quoted(told.call_id)},"source":{_text(told.source)},'
        f'"source_address":{quoted(told.address)},"from":{quoted(number_of(told.from_uri))},'
        f'"to":{quoted(number_of(told.to_uri))},"disposition":"{disposition_of(told)}",'
        f'"status":{number_or_null(told.status)},"phrase":{quoted(told.phrase)},'
        f'"canceled":{_truth(told.is_canceled)},"clearip":[{",".join(map(_query, told.queries))}],'
        f'"contacts":{number_or_null(told.contacts)},'
        f'"attempts":[{",".join([_attempt(each, begun_us) for each in told.attempts])}],'
        f'"answered_by":{number_or_null(told.answered_by)},"setup_ms":{ms(setup_us)},'
        f'"ring_ms":{ms(ring_us)},"own_delay_ms":{ms(told.own_delay_us)},'
        f'"request_bytes":{number_or_null(told.size_bytes)},'
        f'"passports":[{",".join([each.text for each in told.passports])}],'
        f'"verstat":{_text(_verstat(told.asserted))}',
    )


def how_it_ended(told: SetUp) -> str:
    """Return how a set-up has ended."""
    if told.status is None:
        return "cut_off"
    if told.is_answered:
        return OPEN
    return "canceled" if told.is_canceled else "refused"


def moment(at_us: int) -> str:
    """Return a time as records hold it (RFC 3339, UTC, microseconds)."""
    second, us = divmod(at_us, 1_000_000)
    return f"{_second(second)}.{us:06d}+00:00"


@lru_cache(64)
def _second(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def number_or_null(value: int | None) -> str:
    """Return a number in JSON."""
    return NULL if value is None else str(value)


def ms(us: int | None) -> str:
    """Return microseconds as milliseconds, in JSON, as `us / 1000` would be written."""
    if us is None:
        return NULL
    if us < LONGEST_EXACT_US:
        return f"{us // 1000}{_FRACTIONS[us % 1000]}"
    return str(us / 1000)


def number_of(uri: str) -> str:
    """Return the user of a SIP URI, or the number of a tel URI; the whole text of neither."""
    match = _URI.match(uri)
    return match[1] if match and ("@" in uri or uri[:4].lower() == "tel:") else uri


def _query(query: Query) -> str:
    return (
        f'{{"site":{quoted(query.site)},"status":{number_or_null(query.status)},'
        f'"phrase":{quoted(query.phrase)},"reasons":[{",".join(map(quoted, query.reasons))}],'
        f'"verdict":{_text(query.verdict)},"latency_ms":{ms(query.latency_us)}}}'
    )


def _attempt(attempt: Attempt, begun_us: int) -> str:
    return (
        f'{{"target":{quoted(attempt.target)},"next_hop":{_text(attempt.hop or None)},'
        f'"transport":"{attempt.transport}","at_ms":{ms(max(0, attempt.at_us - begun_us))},'
        f'"ms":{ms(attempt.took_us)},"result":{_text(attempt.result)},'
        f'"status":{number_or_null(attempt.status)},"signed":{_truth(attempt.is_signed)},'
        f'"bytes":{attempt.size_bytes},"over_1300_bytes":{_truth(attempt.is_large)}}}'
    )


def _text(value: str | None) -> str:
    return NULL if value is None else quoted(value)


def _truth(value: object) -> str:
    return "true" if value else "false"


def _verstat(asserted: Iterable[str]) -> str | None:
    found = (_VERSTAT.search(value) for value in asserted)
    return next((match["value"] for match in found if match), None)
