"""The part `emergency`: calls that nothing may delay or refuse."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from inline_proxy.config.faults import Refused
from inline_proxy.config.key import key
from inline_proxy.config.targets import SIP_URI
from inline_proxy.config.values import ListOf, Value

_NUMBER: Final = re.compile(r"\+?[0-9*#]{1,15}")
_PREFIX: Final = re.compile(r"\+|\+?[0-9*#]{1,15}")


def dialled(pattern: re.Pattern[str]) -> Callable[[object], str]:
    """A parser of what is dialled; without quotes YAML would drop leading zeros and the plus."""

    def parse(value: object) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise Refused("is a number without quotes: write it in quotes")
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise Refused
        return value

    return parse


def routes(*, allowed: str = "a list of SIP URIs") -> ListOf:
    """A key that takes SIP URIs, tried in order."""
    return ListOf(SIP_URI, allowed=allowed)


@dataclass(frozen=True, slots=True)
class Emergency:
    """The numbers that are never sent to ClearIP and never limited, and where they go."""

    numbers: tuple[str, ...] = field(
        default=("911", "933", "112"),
        metadata=key(
            ListOf(
                Value(
                    dialled(_NUMBER),
                    wrong="is not a dialled number",
                    allowed='digits, * and # in quotes, with or without a plus, such as "911"',
                ),
                allowed="a list of numbers, each in quotes",
                same=lambda number: number,
            ),
            "The numbers whose calls are never sent to ClearIP and never limited. The first one "
            "stands for `urn:service:sos` too.",
            example='["911", "112"]',
        ),
    )
    prefixes: tuple[str, ...] = field(
        default=(),
        metadata=key(
            ListOf(
                Value(
                    dialled(_PREFIX),
                    wrong="is not the beginning of a dialled number",
                    allowed='digits, * and # in quotes, with or without a plus, such as "+1"',
                ),
                allowed="a list of beginnings of numbers, each in quotes",
                same=lambda prefix: prefix,
            ),
            "What switches may put before one of those numbers, as in `+1911` or `9911`; one of "
            "these, and once.",
            example='["+1", "9"]',
        ),
    )
    route: tuple[str, ...] = field(
        default=(),
        metadata=key(
            routes(),
            "Where those calls go, tried in order; empty: `default_route`.",
            example='["sip:192.0.2.30:5060;transport=tcp"]',
        ),
    )
