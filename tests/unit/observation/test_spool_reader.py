"""Reading the spool: every event once, whatever happens to either end."""

from pathlib import Path

from inline_proxy.observation.spool_reader import (
    KEPT_US,
    LONGEST_READING_US,
    MOST_AT_ONCE,
    TORN_AFTER_US,
    SpoolReader,
)
from unit.observation.told import line_of, spool_with, told, told_in


def test_events_come_in_order_and_once(tmp_path: Path) -> None:
    """Over several files, and again when a file has grown."""
    spool = spool_with(tmp_path, (2, [told("asked", 2)]), (1, [told("rang", 1)]))
    reader = SpoolReader([spool])

    first = [event["kind"] for event in told_in(reader)]
    with (spool / "000000000002.events").open("a") as file:
        file.write('["",0,["answered",1]]\n')

    assert first == ["rang", "asked"]
    assert [event["kind"] for event in told_in(reader)] == ["answered"]
    assert list(reader.read()) == []


def test_line_without_its_end_is_read_when_it_is_complete(tmp_path: Path) -> None:
    """Somebody is writing it."""
    spool = spool_with(tmp_path, (1, []))
    file = spool / "000000000001.events"
    reader = SpoolReader([spool])

    file.write_text('["",0,')
    assert list(reader.read()) == []
    file.write_text('["",0,["rang",1]]\n')

    assert len(list(reader.read())) == 1


def test_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    """What a full disk has cut short is passed over, and counted."""
    (tmp_path / "000000000001.events").write_text('["",0,["ra\n[]\n["",0,["asked",1]]\n')
    reader = SpoolReader([tmp_path])

    assert [event["kind"] for event in told_in(reader)] == ["asked"]
    assert reader.malformed == 2


def test_torn_line_that_closes_in_the_next_one_is_no_event(tmp_path: Path) -> None:
    """Lines are read in one go, and still each for itself."""
    lines = '["",0,["rang",1\n180]]\n["",0,["asked",1]]\n'
    (tmp_path / "000000000001.events").write_text(lines)

    reader = SpoolReader([tmp_path])

    assert [event["kind"] for event in told_in(reader)] == ["asked"]
    assert reader.malformed == 2


def test_more_than_is_read_in_one_go_is_told_to_be_there(tmp_path: Path) -> None:
    """So that whoever reads comes back at once, and else only after a while."""
    many = [told("finished", 1, phrase="x" * 1000)] * (MOST_AT_ONCE // 1000)
    reader = SpoolReader([spool_with(tmp_path, (1, many), (2, [told("asked", 2)]))])

    first = told_in(reader)
    assert reader.has_more
    rest = told_in(reader)

    assert (len(first) + len(rest), rest[-1]["kind"]) == (len(many) + 1, "asked")
    assert not reader.has_more


def test_bytes_that_are_no_utf8_become_question_marks(tmp_path: Path) -> None:
    """And characters beyond the basic plane stay what they are."""
    spool = spool_with(tmp_path, (1, [told("finished", 1, phrase="\udcff\U0001f600")]))

    (event,) = told_in(SpoolReader([spool]))

    assert event["phrase"] == "?\U0001f600"


def test_next_reader_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    """Also when the file has been deleted meanwhile."""
    spool = spool_with(tmp_path, (1, [told("rang", 1)]))
    now_us = [10_000]
    reader = SpoolReader([spool], clock_us=lambda: now_us[0])
    list(reader.read())
    offsets = reader.offsets

    now_us[0] += KEPT_US
    reader.forget_read()
    spool_with(tmp_path, (2, [told("asked", 2)]))

    assert [event["kind"] for event in told_in(SpoolReader([spool], offsets))] == ["asked"]
    assert [event["kind"] for event in told_in(SpoolReader([spool]))] == ["asked"]


def test_read_files_are_deleted_when_they_can_grow_no_more(tmp_path: Path) -> None:
    """Neither the one that is written to, nor one that has not been read."""
    spool = spool_with(tmp_path, (1, [told("rang", 1)]))
    now_us = [10_000]
    reader = SpoolReader([spool], clock_us=lambda: now_us[0])
    list(reader.read())
    now_us[0] += 1
    spool_with(tmp_path, (100, [told("asked", 2)]))
    list(reader.read())
    spool_with(tmp_path, (50, [told("failed", 3)]))

    now_us[0] = 10_000 + KEPT_US
    reader.forget_read()

    assert sorted(path.name[9:12] for path in spool.iterdir()) == ["050", "100"]
    assert list(reader.offsets) == ["000000000100.events"]
    assert [event["kind"] for event in told_in(reader)] == ["failed"]


def test_spool_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    """The observer starts before the first call."""
    assert list(SpoolReader([tmp_path / "none"]).read()) == []


def test_files_of_several_processes_are_read_in_the_order_of_their_events(tmp_path: Path) -> None:
    """In whatever directory, and slice of time, they lie."""
    disk = spool_with(tmp_path / "disk", (1, [told("rang", 30)]), (2, [told("asked", 10)]))
    memory = tmp_path / "memory"
    memory.mkdir()
    for name, events in {
        "000000000001-77-1": [told("begun", 0), told("hung_up", 50)],
        "000000000001-78-1": [told("clearip", 20), told("answered", 40)],
    }.items():
        text = "".join(map(line_of, events)).encode()
        (memory / f"{name}.events").write_bytes(text + bytes(4096 - len(text)))

    read = [event["kind"] for event in told_in(SpoolReader([disk, memory]))]

    assert read == ["begun", "asked", "clearip", "rang", "answered", "hung_up"]


def test_file_in_memory_is_read_up_to_where_it_has_been_written(tmp_path: Path) -> None:
    """And from there on when more has been written to it."""
    file = tmp_path / "000000000001-77-1.events"
    lines = [line_of(told("rang", at)).encode() for at in (1, 2)]
    reader = SpoolReader([tmp_path])

    file.write_bytes(lines[0] + lines[1][:9] + bytes(100))
    first = told_in(reader)
    file.write_bytes(lines[0] + lines[1] + bytes(100))

    assert [event["clock"] for event in [*first, *told_in(reader)]] == [1_000, 2_000]
    assert reader.malformed == 0


def test_what_is_told_after_the_reading_began_waits_for_the_next(tmp_path: Path) -> None:
    """What came before it may stand in a file that has been read already."""
    now_us = [1_500]
    spool = spool_with(tmp_path, (1, [told("asked", 1), told("rang", 2)]))
    reader = SpoolReader([spool], clock_us=lambda: now_us[0])

    first = [event["kind"] for event in told_in(reader)]
    now_us[0] = 2_000

    assert first == ["asked"]
    assert [event["kind"] for event in told_in(reader)] == ["rang"]


def test_what_was_told_before_the_machine_started_anew_comes_first(tmp_path: Path) -> None:
    """Its clock stood at a later time than that of now."""
    before = told("asked", (LONGEST_READING_US + 5_000) / 1_000)
    spool = spool_with(tmp_path, (1, [before]), (2, [told("rang", 1)]))

    reader = SpoolReader([spool], clock_us=lambda: 4_000)

    assert [event["kind"] for event in told_in(reader)] == ["asked", "rang"]


def test_line_that_a_process_never_ended_is_given_up(tmp_path: Path) -> None:
    """After a while, and counted."""
    file = tmp_path / "000000000100-77-1.events"
    file.write_bytes(line_of(told("asked", 1)).encode() + b'["c1",0,["ra' + bytes(100))
    now_us = [10_000]
    reader = SpoolReader([tmp_path], clock_us=lambda: now_us[0])

    assert [event["kind"] for event in told_in(reader)] == ["asked"]
    now_us[0] = 10_000 + KEPT_US
    reader.forget_read()
    assert file.exists()
    now_us[0] = 10_000 + TORN_AFTER_US
    reader.forget_read()

    assert not file.exists()
    assert reader.malformed == 1
