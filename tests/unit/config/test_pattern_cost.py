"""Regular expressions of an operator's: bounded before a call meets them."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.sip.display_name import LONGEST_NAME
from inline_proxy.config.pattern_cost import LONGEST_TEXT, MOST_WAYS, ways_to_match

LIMIT_S = 0.5
"""Far above the milliseconds that an admitted pattern takes."""


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\[V\] (.*)",
        r"^\s+|\s+$",
        r"(?i)\bspam\b.*",
        r"(?P<name>.*) \[V\](?P<rest>.*)",
        r"([A-Z]{2,5}) ?",
        r"(.*)(.*)\1",
        r"(?=.*V)N",
        r"(N)?(?(1)A|B*)",
        "a{200}",
        "(?>a*)b",
    ],
)
def test_usual_pattern_is_bounded(pattern: str) -> None:
    """What operators write to take away, to replace, to keep a part."""
    assert ways_to_match(pattern) <= MOST_WAYS


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|ab)*c",
        r"(\w+\s?)*$",
        "(a*)*b",
        "(?:a+){2,50}b",
        "a?" * 30 + "a" * 30,
        ".*.*.*.*x",
        "(?=(a+)+$)b",
        "(x)?(?(1)(a+)+|b)$",
        "(?>(a+)+)$",
    ],
)
def test_pattern_that_tries_without_end_is_not(pattern: str) -> None:
    """Each would keep a worker busy for minutes or for years."""
    assert ways_to_match(pattern) > MOST_WAYS


pieces = st.sampled_from(["a", ".", "[ab]", "(a|b)", "(ab?)", "(?:a|aa)", "b", "^", "$", r"\w"])
repeats = st.sampled_from(["", "*", "+", "?", "*?", "{1,3}", "{2,}"])
patterns = st.lists(st.tuples(pieces, repeats).map("".join), min_size=1, max_size=8).map("".join)
nested = st.one_of(patterns, patterns.map(lambda body: f"({body})+c"))


@given(nested, st.sampled_from(["a", "ab", "b", "aab"]))
def test_admitted_pattern_takes_no_time(pattern: str, unit: str) -> None:
    """On the longest text, one that nearly matches in every way."""
    try:
        compiled = re.compile(pattern)
    except re.error:
        return
    if ways_to_match(pattern) > MOST_WAYS:
        return
    text = (unit * LONGEST_TEXT)[: LONGEST_TEXT - 1] + "!"
    started = time.process_time()

    compiled.sub("x", text)

    assert time.process_time() - started < LIMIT_S


def test_proxy_and_check_mean_the_same_length() -> None:
    """The command is installed without the code inside Kamailio, so each has its own number."""
    assert LONGEST_NAME == LONGEST_TEXT
