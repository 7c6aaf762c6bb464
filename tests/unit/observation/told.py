"""Events as Kamailio tells them, and records made of them."""

import json
from pathlib import Path
from typing import Any

import jwt
from jsonschema import Draft202012Validator

from inline_proxy.observation.call_book import CallBook, Ended, Step
from inline_proxy.observation.spool_reader import SpoolReader
from inline_proxy.paths import ROOT

Event = dict[str, Any]
SITE = "sip:192.0.2.10:5061;transport=tls"
SECOND_US = 1_000_000
NAMES = {
    "begun": (
        "call_id",
        "from_tag",
        "from",
        "to",
        "address",
        "source",
        "bytes",
        "emergency",
        "query",
    ),
    "asked": ("site",),
    "clearip": (
        "site",
        "status",
        "phrase",
        "reasons",
        "verdict",
        "contacts",
        "diverted",
        "identities",
        "asserted",
    ),
    "attempted": ("n", "target", "hop", "signed", "added"),
    "unreachable": ("n", "target", "hop", "what"),
    "failed": ("n", "canceled", "status", "phrase", "reasons"),
    "rang": ("status",),
    "answered": ("status",),
    "finished": ("status", "phrase", "canceled"),
    "hung_up": ("call_id", "from_tag", "to_tag"),
    "started": (),
    "dropped": ("files", "bytes"),
}
"""What the values of an event are, by kind, in the order of the spool."""
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "call-record.schema.json").read_text()))


def told(kind: str, at_ms: float, call: str = "c1", **values: object) -> Event:
    """An event so many milliseconds after the beginning."""
    us = int(at_ms * 1000)
    return {"kind": kind, "at": 1_700_000_000 * SECOND_US + us, "clock": us, "call": call, **values}


def begun(at_ms: float = 0, call: str = "c1", **values: object) -> Event:
    """The beginning of a call from a switch."""
    usual: Event = {
        "call_id": f"{call}@switch",
        "from_tag": "tag-a",
        "from": "sip:+14045550100@10.0.0.1",
        "to": "sip:+14705550100;npdi@10.0.0.2",
        "address": "10.0.0.1",
        "source": "switch-a",
        "bytes": 900,
        "emergency": False,
        "query": True,
    }
    return told("begun", at_ms, call, **{**usual, **values})


def asked(at_ms: float = 1) -> Event:
    """A query to ClearIP."""
    return told("asked", at_ms, site=SITE)


def answer(at_ms: float = 21, status: int | None = 302, **values: object) -> Event:
    """ClearIP's answer."""
    usual: Event = {
        "phrase": "Moved",
        "reasons": [],
        "verdict": "route",
        "contacts": 1,
        "diverted": False,
        "identities": [],
    }
    return told("clearip", at_ms, site=SITE, status=status, **{**usual, **values})


def attempted(at_ms: float = 23, n: int = 1, **values: object) -> Event:
    """An attempt at a target."""
    usual: Event = {"n": n, "target": f"sip:1@192.0.2.{n}:5060", "hop": "", "signed": True}
    return told("attempted", at_ms, **{**usual, "added": 700, **values})


def identity(**claims: object) -> str:
    """A signed Identity value, whoever has signed it."""
    usual: Event = {
        "attest": "A",
        "dest": {"tn": ["14705550100"], "uri": ["sip:x@example.net"]},
        "iat": 1_700_000_000,
        "orig": {"tn": "14045550100"},
        "origid": "123e4567",
    }
    headers = {"ppt": "shaken", "x5u": "https://c.example/c.pem"}
    token = jwt.encode({**usual, **claims}, "k" * 32, headers=headers)
    return f"{token};info=<https://c.example/c.pem>;alg=ES256;ppt=shaken"


def steps_of(*events: Event, book: CallBook | None = None) -> list[Step]:
    """What a book makes of events."""
    book = book if book is not None else CallBook()
    lines = [json.loads(line_of(event)) for event in events]
    return [step for call, epoch_us, *told in lines for step in book.take(call, epoch_us, told)]


def records_of(*events: Event, book: CallBook | None = None) -> list[dict[str, Any]]:
    """The records of the calls that have ended; each must be valid."""
    records = [step.line.record for step in steps_of(*events, book=book) if isinstance(step, Ended)]
    for record in records:
        SCHEMA.validate(record)
    return records


def line_of(event: Event) -> str:
    """The line that Kamailio would write of an event."""
    names = NAMES[event["kind"]]
    last = max((n for n, name in enumerate(names, 1) if name in event), default=0)
    values = [event.get(name) for name in names[:last]]
    epoch_us = event["at"] - event["clock"]
    return json.dumps([event["call"], epoch_us, [event["kind"], event["clock"], *values]]) + "\n"


def told_in(reader: SpoolReader) -> list[Event]:
    """The events that a reader finds, with names."""
    return [
        {**dict(zip(NAMES[kind], values, strict=False)), "kind": kind}
        | {"at": epoch_us + clock, "clock": clock, "call": call}
        for call, epoch_us, *events in reader.read()
        for kind, clock, *values in events
    ]


def spool_with(directory: Path, *files: tuple[int, list[Event]]) -> Path:
    """A spool with these events in the files of these slices."""
    directory.mkdir(exist_ok=True)
    for number, events in files:
        lines = "".join(line_of(event) for event in events)
        (directory / f"{number:012d}.events").write_text(lines)
    return directory
