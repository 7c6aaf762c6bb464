"""The page `docs/clearip-answers.md`: what it says is what the proxy decides."""

import re
import runpy
import sys

import pytest

from clearip_proxy.verdict import TABLE, Verdict
from inline_proxy.answers_reference import tables
from inline_proxy.paths import ROOT

PAGE = (ROOT / "docs" / "clearip-answers.md").read_text(encoding="utf-8")


def test_tables_of_the_page_are_the_generated_ones() -> None:
    """All of them, and no table or row besides."""
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]

    assert tables() in PAGE
    assert rows == [line for line in tables().splitlines() if line]


def test_tables_are_printed_by_the_module(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that the page names."""
    monkeypatch.delitem(sys.modules, tables.__module__)

    runpy.run_module(tables.__module__, run_name="__main__")

    assert capsys.readouterr().out == tables() + "\n"
    assert f"PYTHONPATH=kemi python3 -m {tables.__module__}" in PAGE


def test_every_row_of_the_code_and_every_verdict_is_in_the_tables() -> None:
    """By what it means."""
    printed = tables()

    assert {row.meaning for row in TABLE if f"| {row.meaning} |" not in printed} == set()
    assert {verdict for verdict in Verdict if f"\n| `{verdict}`" not in printed} == set()


def test_every_key_that_the_page_names_exists() -> None:
    """A key that is renamed is renamed here."""
    reference = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:clearip|targets|headers)\.[a-z_.]+)", PAGE))

    assert len(named) > 8
    assert {key for key in named if f"`{key}`\n" not in reference} == set()
