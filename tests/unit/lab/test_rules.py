"""Answers from a file of rules."""

import json
from pathlib import Path
from typing import Any

import pytest

from inline_proxy.lab.answer import Action, Answer
from inline_proxy.lab.rules import NOT_COVERED, RulesError, answer_by, parse_rules, read_rules


def test_rule_with_every_key_becomes_an_answer() -> None:
    """Each key of a rule is a field of the answer."""
    (rule,) = parse_rules(
        [
            {
                "user": "^1",
                "status": 302,
                "reason": "Moved",
                "headers": ["Contact: <sip:[user]@127.0.0.1:7001>"],
                "trying": True,
                "delay_ms": 20,
                "action": "cut",
            }
        ]
    )

    expected = Answer(
        status=302,
        reason="Moved",
        headers=("Contact: <sip:[user]@127.0.0.1:7001>",),
        trying=True,
        delay_ms=20,
        action=Action.CUT,
    )

    assert rule.answer == expected


def test_first_rule_that_covers_the_user_wins() -> None:
    """Rules are tried in order; a number that none covers is a fault of the test."""
    rules = parse_rules([{"user": "1$", "status": 404}, {"user": "[01]$", "status": 503}])

    assert answer_by(rules, "+11").status == 404
    assert answer_by(rules, "+10").status == 503
    assert answer_by(rules, "+12") == NOT_COVERED


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ({}, "list"),
        ([{"status": 302}], "user"),
        ([{"user": "("}], "unterminated|parenthesis"),
        ([{"user": "", "status": 99}], "status"),
        ([{"user": "", "action": "explode"}], "action"),
        ([{"user": "", "delay_ms": -1}], "delay_ms"),
        ([{"user": "", "headers": ["X: [nothing]"]}], "nothing"),
        ([{"user": "", "heders": []}], "heders"),
    ],
)
def test_wrong_rule_is_named(entries: Any, complaint: str) -> None:  # noqa: ANN401 - any JSON
    """A misspelt key or an impossible value ends the stand-in before a call does."""
    with pytest.raises(RulesError, match=complaint):
        parse_rules(entries)


def test_file_of_rules_is_read(tmp_path: Path) -> None:
    """The file holds a JSON list."""
    path = tmp_path / "answers.json"
    path.write_text(json.dumps([{"user": ".", "status": 603, "reason": "Decline"}]))

    assert answer_by(read_rules(path), "1") == Answer(603, "Decline")


def test_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    """The path stands in the message."""
    path = tmp_path / "answers.json"
    path.write_text("[")

    with pytest.raises(RulesError, match=r"answers\.json"):
        read_rules(path)
