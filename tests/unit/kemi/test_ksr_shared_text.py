"""Texts that all processes read while one of them writes."""

from clearip_proxy.ksr.shared_text import KEPT, KsrSharedText
from unit.kemi.fake_tables import FakeSharedTables


def text(tables: FakeSharedTables) -> KsrSharedText:
    """The text as one process has it."""
    return KsrSharedText(tables, "sites", "lines")


def test_what_one_process_writes_the_others_read() -> None:
    """The last version; nothing before the first."""
    tables = FakeSharedTables()
    writer, reader = text(tables), text(tables)

    seen = [reader.read()]
    for version in ("a", "b", ""):
        writer.write(version)
        seen.append(reader.read())

    assert seen == ["", "a", "b", ""]


def test_version_that_was_written_is_never_changed() -> None:
    """It would arrive half old and half new where somebody is reading it."""
    tables = FakeSharedTables()
    writer = text(tables)
    writer.write("a")
    key = next(key for key, value in tables.tables["sites"].items() if value == "a")
    for number in range(KEPT - 1):
        writer.write(str(number))
        assert tables.tables["sites"][key] == "a"


def test_old_versions_go() -> None:
    """The table does not grow."""
    tables = FakeSharedTables()
    writer = text(tables)
    for number in range(10 * KEPT):
        writer.write(str(number))

    assert len(tables.tables["sites"]) == KEPT + 1
    assert text(tables).read() == str(10 * KEPT - 1)
