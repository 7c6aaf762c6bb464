"""The part `headers`: what ClearIP's response gives to the request that goes to the target."""

import re
import warnings
from dataclasses import dataclass, field
from typing import Final, Literal

from inline_proxy.config.faults import Refused
from inline_proxy.config.key import key
from inline_proxy.config.pattern_cost import LONGEST_TEXT, MOST_WAYS, ways_to_match
from inline_proxy.config.scalars import one_of, text
from inline_proxy.config.values import ListOf, Part, Value

_LONGEST_PATTERN: Final = 200
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,64}")  # RFC 3261 §25.1, token

# What routes the message, names its dialog or describes its body (RFC 3261 §19.1.5).
NEVER_COPIED: Final = (
    "Via",
    "Route",
    "Record-Route",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Max-Forwards",
    "Authorization",
    "Proxy-Authorization",
)
_NEVER_COPIED: Final = frozenset(name.lower() for name in NEVER_COPIED)


def header_name(value: object) -> str:
    """The name of a header that may be copied from ClearIP's response, in its long form."""
    name = text(value).lower()
    if _TOKEN.fullmatch(name) is None:
        raise Refused
    if len(name) == 1:
        raise Refused("is a compact form: write the long one")
    if name in _NEVER_COPIED or name.startswith("content-"):
        raise Refused("routes the message or belongs to its dialog, sender or body")
    return text(value)


def pattern(value: object) -> str:
    """A regular expression of Python's, as it stood."""
    if len(text(value)) > _LONGEST_PATTERN:
        raise Refused(f"has more than {_LONGEST_PATTERN} characters")
    if not text(value).isprintable():
        raise Refused("has a character that no header may hold")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python finds ambiguous, and may read anew
            re.compile(text(value))
    except (re.error, OverflowError, Warning) as error:
        raise Refused(f"is not a regular expression: {error}") from None
    if ways_to_match(text(value)) > MOST_WAYS:
        raise Refused(
            "could take so long to match that calls wait: have no repetition inside another one, "
            "and fewer of them"
        )
    return text(value)


def replacement(value: object) -> str:
    """What stands in place of a match; whether its group references lead anywhere is a rule."""
    if not text(value).isprintable():
        raise Refused("has a character that no header may hold")
    return text(value)


def unusable(match: str, replace: str) -> str:
    """Say why `replace` cannot stand in place of what `match` has found; "" when it can.

    Tried on a pattern with the same groups, all of them empty.
    """
    compiled = re.compile(match)
    names = {number: name for name, number in compiled.groupindex.items()}
    groups = (f"(?P<{names[n]}>)" if n in names else "()" for n in range(1, compiled.groups + 1))
    try:
        written = re.sub("".join(groups), replace, "")
    except (re.error, IndexError) as error:
        return str(error)
    return "" if written.isprintable() else "writes a character that no header may hold"


@dataclass(frozen=True, slots=True)
class DisplayName:
    """One rewriting of the names that ClearIP returns."""

    match: str = field(
        metadata=key(
            Value(
                pattern,
                wrong="is not a regular expression",
                allowed="a regular expression of Python's, of at most "
                f"{_LONGEST_PATTERN} characters",
            ),
            "What is looked for, as often as it occurs in a name without its quotes. Names of more "
            f"than {LONGEST_TEXT} characters stay as they are.",
            example="'^\\[V\\] (.*)'",
        )
    )
    replace: str = field(
        metadata=key(
            Value(
                replacement,
                wrong="is not a text",
                allowed="a text without control characters, in which \\1 stands for the first "
                "group of `match`",
            ),
            "What stands in its place.",
            example="'\\1 (verified)'",
        )
    )


@dataclass(frozen=True, slots=True)
class Headers:
    """Which headers of ClearIP's response go to the target, and how."""

    copy: tuple[str, ...] = field(
        default=(
            "Identity",
            "X-Identity",
            "P-Asserted-Identity",
            "X-Asserted-Identity",
            "Call-Info",
            "Date",
            "P-Attestation-Indicator",
            "P-Origination-ID",
        ),
        metadata=key(
            ListOf(
                Value(
                    header_name,
                    wrong="is not the name of a header",
                    allowed="a header name in its long form, except Content-* and "
                    + ", ".join(NEVER_COPIED),
                ),
                allowed="a list of header names",
                same=str.lower,
            ),
            "The headers copied from ClearIP's response into the request for the target.",
            example="[Identity, P-Asserted-Identity, X-Carrier-Data]",
        ),
    )
    identity: Literal["replace", "append"] = field(
        default="replace",
        metadata=key(
            one_of("replace", "append"),
            "Whether ClearIP's Identity takes the place of those received with the same `ppt`, or "
            "is added to them.",
            example="append",
        ),
    )
    display_names: tuple[DisplayName, ...] = field(
        default=(),
        metadata=key(
            ListOf(
                Part(DisplayName, allowed="a mapping of match and replace"),
                allowed="a list of mappings of match and replace",
            ),
            "How display names in ClearIP's P-Asserted-Identity and X-Asserted-Identity are "
            "rewritten, each entry after the one before: some switches mangle what ClearIP "
            "puts there.",
            example="[{match: '^\\[V\\] ', replace: ''}]",
        ),
    )
