"""The lab's description says what the code does."""

import re
from dataclasses import fields

from inline_proxy.lab.answer import Action, Answer
from inline_proxy.lab.answers import PLAN
from inline_proxy.lab.stage import CARRIERS
from inline_proxy.paths import ROOT

DOCUMENT = (ROOT / "docs" / "lab.md").read_text(encoding="utf-8")


def test_table_of_numbers_is_the_numbering_plan() -> None:
    """Every number, in the plan's order, and no other one."""
    rows = re.findall(r"^\| (\+\d+) \| (\S+) \| (.*) \|$", DOCUMENT, re.MULTILINE)

    assert rows == [(entry.number, entry.name, entry.meaning) for entry in PLAN]


def test_every_key_of_a_rule_is_described() -> None:
    """A rule has the fields of an answer, and `user`."""
    described = set(re.findall(r"`(\w+)`", DOCUMENT))

    assert {"user", *(field.name for field in fields(Answer))} <= described
    assert {action.value for action in Action} <= described


def test_every_carrier_is_described() -> None:
    """By its letter."""
    letters = re.findall(r"^\| ([A-Z](?:, [A-Z])*) \|", DOCUMENT, re.MULTILINE)

    assert [letter for row in letters for letter in row.split(", ")] == list(CARRIERS)
