"""The calls that the status page lists, and their rates."""

import json
from pathlib import Path
from typing import Any

import pytest

from inline_proxy.observation.call_record import RecordLine
from inline_proxy.observation.rates import Rates
from inline_proxy.observation.recent_calls import RecentCalls
from inline_proxy.observation.tally import Tally


def record(number: int, **changed: object) -> dict[str, Any]:
    """A record, as far as a search looks at it."""
    usual = {
        "id": str(number),
        "from": "+14045550100",
        "to": f"+1470555{number:04}",
        "call_id": f"call-{number}@switch",
        "source": "Switch-A",
        "source_address": "192.0.2.10",
        "disposition": "signed",
        "status": 200,
        "attempts": [{"target": f"sip:x@carrier-{number}.example"}],
    }
    return usual | changed


def line(number: int, **changed: object) -> RecordLine:
    """A record as it is written."""
    return RecordLine(str(number), json.dumps(record(number, **changed)))


@pytest.fixture
def recent() -> RecentCalls:
    """Three calls, one of them blocked and one failed."""
    calls = RecentCalls(kept=3)
    for number, disposition in enumerate(("signed", "signed", "blocked", "unavailable")):
        calls.put(str(number), line(number, disposition=disposition))
    return calls


def found(recent: RecentCalls, search: str = "", kind: str = "", limit: int = 9) -> list[str]:
    """The ids of the calls found."""
    return [each["id"] for each in recent.found(search, kind, limit)]


def test_latest_calls_come_first_and_the_oldest_go(recent: RecentCalls) -> None:
    """As many as are kept."""
    assert found(recent) == ["3", "2", "1"]
    assert found(recent, limit=2) == ["3", "2"]


@pytest.mark.parametrize(
    "search", ["5550002", "CALL-2", "carrier-2", "blocked"], ids=["number", "id", "target", "kind"]
)
def test_call_is_found_by_what_an_operator_knows(recent: RecentCalls, search: str) -> None:
    """In any case of letters."""
    assert found(recent, search) == ["2"]


def test_kinds(recent: RecentCalls) -> None:
    """A disposition, or all that failed."""
    assert found(recent, kind="blocked") == ["2"]
    assert found(recent, kind="failed") == ["3"]


def test_later_record_of_a_call_takes_the_place_of_the_earlier(recent: RecentCalls) -> None:
    """When it has ended."""
    recent.put("2", line(2, status=404))

    assert [each["status"] for each in recent.found("5550002")] == [404]
    assert len(recent) == 3


def test_restarted_observer_finds_calls_in_the_file(tmp_path: Path) -> None:
    """A line that was cut is left out."""
    file = tmp_path / "calls.jsonl"
    file.write_text("".join(json.dumps(record(number)) + "\n" for number in range(2)) + '{"id')
    calls = RecentCalls()
    calls.load(file)
    calls.load(tmp_path / "missing")

    assert found(calls) == ["1", "0"]


def test_rates_are_what_was_counted_between_two_samples() -> None:
    """Of all sources together."""
    tally = Tally()
    rates = Rates(tally, seconds=2)
    for at_s in (1, 2, 3):
        tally.calls["signed", "a"] += at_s
        tally.calls["signed", "b"] += 1
        tally.final_codes[("200",)] += at_s
        rates.sample(at_s)

    assert rates.samples() == [
        {"at": 2, "calls": {"signed": 3}, "codes": {"200": 2}},
        {"at": 3, "calls": {"signed": 4}, "codes": {"200": 3}},
    ]
