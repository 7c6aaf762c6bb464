"""How long a regular expression may keep a worker busy, judged by its form.

Python's expressions are matched by trying: one such as `(a+)+$` needs twice the time for each
further character, and a call that is being decided would hold up all those behind it. The bound
is an estimate of how many ways there are to match, on a text of the longest length that is ever
given to it; it is never too low.
"""

import importlib
from collections.abc import Iterable
from math import prod
from typing import Any, Final

LONGEST_TEXT: Final = 64
"""Characters of the texts that are matched; the proxy leaves longer ones alone."""
MOST_WAYS: Final = 20_000_000
"""Ways to match that a worker can try within milliseconds: three unbounded repetitions."""

# What `re` itself parses patterns with; the tests run it on every Python that is supported.
_parser: Final = importlib.import_module("re._parser")

_CHOICES: Final = {"BRANCH", "GROUPREF_EXISTS"}
_REPEATS: Final = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_GROUPS: Final = {"SUBPATTERN", "ATOMIC_GROUP", "ASSERT", "ASSERT_NOT"}


def ways_to_match(pattern: str) -> int:
    """Return an upper bound of the ways in which a search can try to match; raises `re.error`.

    No more than one above `MOST_WAYS` is ever returned: what is beyond it is not counted.
    """
    return _bounded((LONGEST_TEXT + 1) * _of_sequence(_parser.parse(pattern)))


def _of_sequence(items: Iterable[tuple[Any, Any]]) -> int:
    return _bounded(prod(_of_item(str(kind), value) for kind, value in items))


def _of_item(kind: str, value: Any) -> int:  # noqa: ANN401 - the parser's own types
    if kind in _REPEATS:
        return _of_repeat(*value)
    if kind in _CHOICES:
        alternatives = value[1] if kind == "BRANCH" else value[1:]
        return sum(_of_sequence(each) for each in alternatives if each is not None)
    if kind in _GROUPS:
        # The body comes last, and is the whole of an atomic group.
        return _of_sequence(value if kind == "ATOMIC_GROUP" else value[-1])
    return 1


def _of_repeat(least: int, most: int, body: Iterable[tuple[Any, Any]]) -> int:
    """Count the ways for every number of repetitions that the longest text has room for."""
    ways_once = _of_sequence(body)
    most = min(int(most), LONGEST_TEXT)
    total, ways = 0, 1
    for times in range(most + 1):
        total += ways if times >= int(least) else 0
        ways = _bounded(ways * ways_once)
    return _bounded(max(total, ways_once))


def _bounded(ways: int) -> int:
    return min(ways, MOST_WAYS + 1)
