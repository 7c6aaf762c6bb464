"""The record of one call attempt: a pure function of what was told of it.

`docs/call-record.schema.json` describes it; a test holds the two together.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from inline_proxy.observation.disposition import disposition_of
from inline_proxy.observation.event_names import Event
from inline_proxy.observation.passport_claims import claims_of

VERSION: Final = 1
LARGEST_OVER_UDP: Final = 1_300
"""Bytes (RFC 3261 §18.1.1)."""
ADDED_BY_PROXY: Final = 250
"""Bytes that Via and Record-Route add, rounded up."""
REQUEST_TIMEOUT: Final = 408
_URI: Final = re.compile(r"(?:sips?|tel):(?://)?(?P<user>[^@;?>]*)", re.IGNORECASE)
_TRANSPORT: Final = re.compile(r";\s*transport=(?P<name>[a-z]+)", re.IGNORECASE)
_VERSTAT: Final = re.compile(r";\s*verstat=(?P<value>[^;>@\s,]+)", re.IGNORECASE)

Record = dict[str, Any]


def record_of(events: Sequence[Event]) -> Record:
    """Return the record of a call attempt whose set-up is over, or was cut off.

    The first event is the one that began it; the others stand in the order they were told.
    """
    begun = events[0]
    kinds = _by_kind(events)
    end = _first(kinds, "answered", "finished")
    answers = kinds.get("clearip", [])
    answer = answers[-1] if answers else None
    record: Record = {
        "version": VERSION,
        "id": begun["call"],
        "begun_at": moment(begun["at"]),
        "ended_at": None,
        "call_id": begun.get("call_id", ""),
        "source": begun.get("source"),
        "source_address": begun.get("address", ""),
        "from": number_of(begun.get("from", "")),
        "to": number_of(begun.get("to", "")),
        "disposition": None,
        "end": _how_it_ended(end),
        **_outcome(end, answers, kinds.get("failed", [])),
        "clearip": [_query(asked, answers) for asked in kinds.get("asked", [])],
        "contacts": (answer or {}).get("contacts"),
        "attempts": _attempts(begun, events),
        **_times(begun, kinds, end),
        "request_bytes": begun.get("bytes"),
        "passports": [claims_of(each) for each in (answer or {}).get("identities", ())],
        "verstat": _verstat((answer or {}).get("asserted", ())),
        "hung_up_by": None,
    }
    record["answered_by"] = _answered_by(record["attempts"])
    record["disposition"] = disposition_of(begun, answer, record).value
    return record


def hung_up(record: Record, answered: Event, bye: Event, by: str) -> Record:
    """Return the record of an answered call that somebody has ended."""
    talked = elapsed_ms(answered, bye)
    ended = moment(bye["at"])
    return {**record, "end": "hung_up", "ended_at": ended, "talk_ms": talked, "hung_up_by": by}


def cut_off(record: Record, at_us: int) -> Record:
    """Return the record of a call that the proxy lost sight of, because it was stopped."""
    return {**record, "end": "cut_off", "ended_at": moment(at_us)}


def elapsed_ms(earlier: Event, later: Event) -> float:
    """Return the time between two events, by the wall clock where the machine was started anew."""
    us: int = later["clock"] - earlier["clock"]
    if us < 0:
        us = max(0, later["at"] - earlier["at"])
    return round(us / 1000, 3)


def moment(at_us: int) -> str:
    """Return a time as records hold it (RFC 3339, UTC, microseconds)."""
    second, us = divmod(at_us, 1_000_000)
    return f"{_second(second)}.{us:06d}+00:00"


@lru_cache(16)
def _second(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def number_of(uri: str) -> str:
    """Return the user of a SIP URI, or the number of a tel URI; the whole text of neither."""
    match = _URI.match(uri)
    return match["user"] if match and ("@" in uri or uri[:4].lower() == "tel:") else uri


def transport_of(uri: str) -> str:
    """Return the transport that a URI leads to (RFC 3263 §4.1)."""
    named = _TRANSPORT.search(uri)
    if uri.lower().startswith("sips:"):
        return "tls"
    return named["name"].lower() if named else "udp"


def _by_kind(events: Iterable[Event]) -> dict[str, list[Event]]:
    kinds: dict[str, list[Event]] = {}
    for event in events:
        kinds.setdefault(event["kind"], []).append(event)
    return kinds


def _first(kinds: Mapping[str, list[Event]], *wanted: str) -> Event | None:
    return next((kinds[kind][0] for kind in wanted if kind in kinds), None)


def _how_it_ended(end: Event | None) -> str:
    if end is None:
        return "cut_off"
    if end["kind"] == "answered":
        return "open"
    return "canceled" if end.get("canceled") else "refused"


def _outcome(end: Event | None, answers: list[Event], failures: list[Event]) -> Record:
    """Return what the caller was told; a relayed response keeps the phrase it came with."""
    status, phrase = (end or {}).get("status"), (end or {}).get("phrase", "")
    if not phrase:
        heard = (each for each in (*failures[::-1], *answers[::-1]) if each["status"] == status)
        phrase = next((each.get("phrase", "") for each in heard), "")
    return {"status": status, "phrase": phrase, "canceled": bool((end or {}).get("canceled"))}


def _query(asked: Event, answers: list[Event]) -> Record:
    """Return one query to ClearIP; without an answer its latency is the time it was waited for."""
    later = (each for each in answers if each["site"] == asked["site"])
    answer = next((each for each in later if each["clock"] >= asked["clock"]), None)
    return {
        "site": asked["site"],
        "status": (answer or {}).get("status"),
        "phrase": (answer or {}).get("phrase", ""),
        "reasons": (answer or {}).get("reasons", []),
        "verdict": (answer or {}).get("verdict"),
        "latency_ms": elapsed_ms(asked, answer) if answer else None,
    }


def _attempts(begun: Event, events: Sequence[Event]) -> list[Record]:
    attempts: list[Record] = []
    started: Event = begun
    for event in events:
        match event["kind"]:
            case "attempted":
                attempts.append(_attempt(begun, event))
                started = event
            case "unreachable":
                if not attempts or attempts[-1]["result"] is not None:
                    attempts.append(_attempt(begun, event))
                    started = event
                attempts[-1] |= {"result": "unreachable", "ms": elapsed_ms(started, event)}
            case "failed" | "answered" if attempts and attempts[-1]["result"] is None:
                attempts[-1] |= _result(event) | {"ms": elapsed_ms(started, event)}
    return attempts


def _attempt(begun: Event, event: Event) -> Record:
    size = (begun.get("bytes") or 0) + event.get("added", 0) + ADDED_BY_PROXY
    return {
        "target": event["target"],
        "next_hop": event.get("hop") or None,
        "transport": transport_of(event.get("hop") or event["target"]),
        "at_ms": elapsed_ms(begun, event),
        "ms": None,
        "result": None,
        "status": None,
        "signed": bool(event.get("signed")),
        "bytes": size,
        "over_1300_bytes": size > LARGEST_OVER_UDP,
    }


def _result(event: Event) -> Record:
    if event["kind"] == "answered":
        return {"result": "answered", "status": event["status"]}
    if event.get("canceled"):
        return {"result": "canceled"}
    status = event["status"]
    return {"result": "silent" if status is None else "failed", "status": status}


def _answered_by(attempts: list[Record]) -> int | None:
    numbers = (n for n, each in enumerate(attempts, 1) if each["result"] == "answered")
    return next(numbers, None)


def _times(begun: Event, kinds: Mapping[str, list[Event]], end: Event | None) -> Record:
    """Return the durations in milliseconds; those that do not apply are null."""
    rang = kinds.get("rang", [None])[0]
    return {
        "setup_ms": elapsed_ms(begun, end) if end else None,
        "ring_ms": elapsed_ms(rang, end) if rang and end else None,
        "talk_ms": None,
        "own_delay_ms": _own_delay_ms(begun, kinds),
    }


def _own_delay_ms(begun: Event, kinds: Mapping[str, list[Event]]) -> float | None:
    """Return what the proxy itself took, up to the first target: all that was not ClearIP's."""
    attempted = kinds.get("attempted", [None])[0]
    if attempted is None:
        return None
    asked, answers = kinds.get("asked", []), kinds.get("clearip", [])
    before = [each for each in answers if each["clock"] <= attempted["clock"]]
    waited = elapsed_ms(asked[0], before[-1]) if asked and before else 0.0
    return round(max(0.0, elapsed_ms(begun, attempted) - waited), 3)


def _verstat(asserted: Iterable[str]) -> str | None:
    found = (_VERSTAT.search(value) for value in asserted)
    return next((match["value"] for match in found if match), None)
