"""Rewriting display names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.policy import DisplayNameRule
from clearip_proxy.sip.display_name import LONGEST_NAME, rewritten

RULES = (
    DisplayNameRule(re.compile(r"^\[V\] ?"), "V-"),
    DisplayNameRule(re.compile(r"^SPAM.*"), ""),
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"[V] NAME" <sip:1@x>;p=1', '"V-NAME" <sip:1@x>;p=1'),
        ("SPAM caller <sip:1@x>", "<sip:1@x>"),
        ('"[V] a \\"quoted\\" one" <tel:+1>', '"V-a \\"quoted\\" one" <tel:+1>'),
        ('"NAME" <sip:1@x>', '"NAME" <sip:1@x>'),
        ("<sip:[V]@x>", "<sip:[V]@x>"),
        ("sip:1@x", "sip:1@x"),
    ],
)
def test_matching_name_is_rewritten_and_nothing_else(value: str, expected: str) -> None:
    """URI and parameters stay to the letter."""
    assert rewritten(value, RULES) == expected


def test_result_with_a_line_break_is_refused() -> None:
    """A replacement cannot add a header field."""
    rules = (DisplayNameRule(re.compile("NAME"), "x\r\nEvil: yes"),)

    assert rewritten('"NAME" <sip:1@x>', rules) == '"NAME" <sip:1@x>'


@pytest.mark.parametrize("length", [LONGEST_NAME, LONGEST_NAME + 1])
def test_long_name_is_left_alone(length: int) -> None:
    """The patterns were admitted for names no longer than that."""
    rules = (DisplayNameRule(re.compile("^N"), "M"),)
    name = "N" * length

    changed = rewritten(f'"{name}" <sip:1@x>', rules)

    assert changed.startswith('"M') is (length == LONGEST_NAME)


def test_name_that_a_rule_makes_long_is_left_alone() -> None:
    """The next rule would not be bounded by it."""
    rules = (DisplayNameRule(re.compile("N"), "MMM"), DisplayNameRule(re.compile("M"), "O"))

    assert rewritten(f'"{"N" * 30}" <sip:1@x>', rules) == f'"{"N" * 30}" <sip:1@x>'


@given(st.text())
def test_no_text_raises(value: str) -> None:
    """Whatever ClearIP returns, the call goes on."""
    rewritten(value, RULES)
