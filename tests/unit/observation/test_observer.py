"""The observer as a whole, without its server."""

import json
from pathlib import Path

import pytest

from inline_proxy.observation.observer import Observer, Places
from unit.observation.told import answer, asked, attempted, begun, spool_with, told

CALL = [begun(), asked(), answer(), attempted()]
FINISHED = told("finished", 99, status=486, phrase="Busy", canceled=False)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Where it works."""
    spool = tmp_path / "events"
    memory, control = tmp_path / "memory", tmp_path / "control.sock"
    return Places(tmp_path, spool, memory, tmp_path / "calls.jsonl", control)


def ids(places: Places) -> list[str]:
    """The calls that have a record."""
    lines = places.records.read_text().splitlines() if places.records.exists() else []
    return [json.loads(line)["id"] for line in lines]


def test_call_is_recorded_and_counted(places: Places) -> None:
    """As soon as it is over."""
    spool_with(places.spool, (1, [*CALL, FINISHED]))
    observer = Observer(places, 100, 10)

    observer.read()

    assert ids(places) == ["c1"]
    assert observer.tally.calls["signed", "switch-a"] == 1


@pytest.mark.parametrize("is_saved", [True, False])
def test_observer_that_dies_in_a_call_is_followed_by_one_that_records_it_once(
    places: Places, *, is_saved: bool
) -> None:
    """Whether or not its last checkpoint knows of the first call's record."""
    spool_with(places.spool, (1, [*CALL, FINISHED, begun(1, "c2")]))
    first = Observer(places, 100, 10)
    first.read()
    if is_saved:
        first.save()
    spool_with(places.spool, (2, [{**FINISHED, "call": "c2"}]))

    Observer(places, 100, 10).read()

    assert ids(places) == ["c1", "c2"]


def test_end_of_the_proxy_is_the_end_of_its_calls(places: Places) -> None:
    """And the end of the observer alone is not."""
    spool_with(places.spool, (1, CALL))
    observer = Observer(places, 100, 10)

    observer.finish(has_proxy_stopped=False)
    assert ids(places) == []
    Observer(places, 100, 10).finish(has_proxy_stopped=True)

    assert ids(places) == ["c1"]


def test_record_that_the_disk_does_not_take_is_written_later(places: Places) -> None:
    """Nothing is forgotten, and the status says that something is wrong."""
    places = places._replace(records=places.state / "logs" / "calls.jsonl")
    spool_with(places.spool, (1, [*CALL, FINISHED]))
    observer = Observer(places, 100, 10)

    observer.read()
    assert observer.is_disk_full
    places.records.parent.mkdir()
    observer.read()

    assert ids(places) == ["c1"]
    assert not observer.is_disk_full


def test_event_that_cannot_be_understood_costs_no_other(places: Places) -> None:
    """A proxy of another release, say."""
    hung_up = {key: told("hung_up", -1)[key] for key in ("kind", "at", "clock", "call")}
    strange = [told("answered", -1), hung_up, told("begun", 5, "c9")]
    spool_with(places.spool, (1, [*strange, *CALL, FINISHED]))

    Observer(places, 100, 10).read()

    assert ids(places) == ["c1"]


def test_identity_that_is_no_text_costs_no_other_call(places: Places) -> None:
    """No release writes one; what stands in the spool may still be anything."""
    of_another = [{**event, "call": "c9"} for event in (begun(), asked(), answer(identities=[7]))]
    end = {**FINISHED, "call": "c9"}
    spool_with(places.spool, (1, [*of_another, end, *CALL, FINISHED]))

    Observer(places, 100, 10).read()

    assert ids(places) == ["c1"]


def test_checkpoint_that_takes_long_is_made_seldom(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many calls under way storing them must not become the main work."""
    clock = [1000.0]
    stored: list[float] = []

    def save(*_: object) -> None:
        stored.append(clock[0])
        clock[0] += 0.5

    monkeypatch.setattr("inline_proxy.observation.observer.save", save)
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    observer = Observer(places, 100, 10)
    for _ in range(60):
        observer.read()
        clock[0] += 1

    assert stored == [1001.0, pytest.approx(1027.0, abs=1), pytest.approx(1053.0, abs=1)]


def test_checkpoint_does_not_make_the_spool_wait_for_the_disk(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kamailio appends to files of the same file system, and calls wait for that."""
    waited: list[int] = []
    monkeypatch.setattr("os.fsync", waited.append)
    spool_with(places.spool, (1, CALL))
    observer = Observer(places, 100, 10)
    observer.read()

    observer.save()

    assert (places.state / "observer.json").exists()
    assert waited == []
