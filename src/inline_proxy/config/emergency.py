"""The part `emergency`: calls that nothing may delay or refuse."""

import re
from dataclasses import dataclass, field
from typing import Final

from inline_proxy.config.faults import Refused
from inline_proxy.config.key import key
from inline_proxy.config.targets import SIP_URI
from inline_proxy.config.values import ListOf, Value

_NUMBER: Final = re.compile(r"\+?[0-9*#]{1,15}")


def dialled_number(value: object) -> str:
    """A number as it is dialled; without quotes YAML would drop leading zeros and the plus."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise Refused("is a number without quotes: write it in quotes")
    if not isinstance(value, str) or _NUMBER.fullmatch(value) is None:
        raise Refused
    return value


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
                    dialled_number,
                    wrong="is not a dialled number",
                    allowed='digits, * and # in quotes, with or without a plus, such as "911"',
                ),
                allowed="a list of numbers, each in quotes",
                same=lambda number: number,
            ),
            "The numbers whose calls are never sent to ClearIP and never limited.",
            example='["911", "112"]',
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
