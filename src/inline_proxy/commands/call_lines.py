"""Call records on a terminal, and as rows of a spreadsheet."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import click

COLOURS: Final = {
    "signed": "green",
    "routed": "green",
    "emergency": "green",
    "unsigned": "yellow",
    "diverted": "yellow",
    "blocked": "yellow",
    "canceled": "bright_black",
    "rejected": "red",
    "unavailable": "red",
}
OF_THE_RECORD: Final = (
    *("begun_at", "ended_at", "id", "call_id", "source", "source_address", "from", "to"),
    *("disposition", "end", "status", "phrase", "answered_by", "setup_ms", "ring_ms", "talk_ms"),
    *("own_delay_ms", "request_bytes", "contacts", "verstat", "hung_up_by"),
)
COLUMNS: Final = (
    *OF_THE_RECORD,
    *("clearip_site", "clearip_status", "clearip_ms", "clearip_reasons", "attempts", "tried"),
    *("ppt", "attest"),
)
DATE, NUMBERS, WORD = 19, 16, 11
"""Widths; what is longer moves what comes after it."""
SHORT_MS, MINUTE_S = 10_000, 60
Record = dict[str, Any]


def heading() -> str:
    """Return what stands above the columns."""
    return (
        f"{'BEGAN':<{DATE}}  {'FROM':>{NUMBERS}} > {'TO':<{NUMBERS}}  "
        f"{'DISPOSITION':<{WORD}}  CODE  WHAT HAPPENED [CALL-ID]"
    )


def line(record: Record, *, colour: bool = False) -> str:
    """Return a record on one line, in local time; a terminal acts on nothing in it."""
    word = f"{record['disposition']:<{WORD}}"
    begun = datetime.fromisoformat(record["begun_at"]).astimezone()
    told = "; ".join(_told(record))
    return (
        f"{begun:%Y-%m-%d %H:%M:%S}  "
        f"{_plain(record['from']):>{NUMBERS}} > {_plain(record['to']):<{NUMBERS}}  "
        f"{click.style(word, fg=COLOURS[record['disposition']]) if colour else word}  "
        f"{record['status'] or '-':>4}  {_plain(told)} [{_plain(record['call_id'])}]"
    )


def row(record: Record) -> dict[str, object]:
    """Return a record as `COLUMNS` name its cells."""
    asked = record["clearip"][-1] if record["clearip"] else {}
    signed = record["passports"][0] if record["passports"] else {}
    cells = {name: record.get(name) for name in OF_THE_RECORD} | {
        "clearip_site": asked.get("site"),
        "clearip_status": asked.get("status"),
        "clearip_ms": asked.get("latency_ms"),
        "clearip_reasons": " | ".join(asked.get("reasons", [])),
        "attempts": len(record["attempts"]),
        "tried": " | ".join(_attempt(each) for each in record["attempts"]),
        "ppt": signed.get("ppt"),
        "attest": signed.get("attest"),
    }
    return {name: _cell(value) for name, value in cells.items()}


def _told(record: Record) -> Iterator[str]:
    """Yield what happened, in the order it did."""
    for query in record["clearip"]:
        took = f" in {_time(query['latency_ms'])}" if query["latency_ms"] is not None else ""
        reasons = "".join(f" ({reason})" for reason in query["reasons"])
        yield f"ClearIP {query['status'] or 'silent'}{took}{reasons}"
    attested = [each.get("attest") or each.get("ppt") or "?" for each in record["passports"]]
    if attested:
        yield f"PASSporT {', '.join(attested)}"
    if record["attempts"]:
        yield ", ".join(_attempt(each) for each in record["attempts"])
    if record["phrase"]:
        yield record["phrase"]
    if record["ring_ms"] is not None:
        yield f"rang {_time(record['ring_ms'])}"
    if record["talk_ms"] is not None:
        yield f"talked {_time(record['talk_ms'])}, the {record['hung_up_by']} hung up"
    if record["end"] == "cut_off":
        yield "cut off"


def _attempt(attempt: Record) -> str:
    """Return where an attempt went and what became of it: `gw.example.net:5060 503`."""
    place = attempt["target"].rpartition("@")[2].partition(";")[0]
    return f"{place} {attempt['status'] or attempt['result'] or 'cut off'}"


def _time(milliseconds: float) -> str:
    if milliseconds < SHORT_MS:
        return f"{milliseconds:.0f} ms"
    seconds = round(milliseconds / 1000)
    minutes, rest = divmod(seconds, MINUTE_S)
    return f"{minutes} min {rest} s" if minutes else f"{seconds} s"


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _cell(value: object) -> object:
    """Keep a spreadsheet from taking what a caller sent for a formula."""
    is_formula = isinstance(value, str) and value[:1] in {"=", "-", "@", "\t", "\r"}
    return f"'{value}" if is_formula else value
