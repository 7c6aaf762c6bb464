"""Identity header field values (RFC 8224): split, refused or kept, never rewritten."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from clearip_proxy.sip.grammar import (
    find_parameter,
    split_list,
    split_parameters,
    unfold,
    unquote_string,
)

MAX_IDENTITY_LENGTH = 16_384
"""Characters in one Identity value; a SHAKEN one has about 700."""
MAX_IDENTITIES = 16
"""Identity values read from one message."""

IdentityMode = Literal["replace", "append"]

_PRINTABLE = re.compile(r"[\t -~]*")


@dataclass(frozen=True, slots=True)
class ParsedIdentities:
    """Identity values to the letter and in order, and why others were refused."""

    values: tuple[str, ...]
    faults: tuple[str, ...]
    """Faults by position; never what the value held."""


def parse_identities(values: Iterable[str]) -> ParsedIdentities:
    """Read the values of all Identity header fields of one message; never raises.

    RFC 8224 puts one value in a header field. Values joined with commas are taken apart,
    as a PASSporT has no comma and an info URI stands in angle brackets.
    """
    accepted: list[str] = []
    faults: list[str] = []
    for position, value in enumerate(_elements(values), start=1):
        if position > MAX_IDENTITIES:
            faults.append(f"identities: more than {MAX_IDENTITIES}")
            break
        reason = _refusal(value)
        if reason is None:
            accepted.append(value)
        else:
            faults.append(f"identity {position}: {reason}")
    return ParsedIdentities(tuple(accepted), tuple(faults))


def ppt_of(value: str, *, default: str | None = None) -> str | None:
    """Return the PASSporT type in lower case (RFC 8224 §4), default where none is named."""
    ppt = find_parameter(split_parameters(value), "ppt")
    return unquote_string(ppt).lower() if ppt else default


def merge_identities(
    received: Iterable[str], from_clearip: Iterable[str], mode: IdentityMode
) -> tuple[str, ...]:
    """Return the Identity values of the request that goes out: the received ones first.

    With `replace`, a value from ClearIP takes the place of those received with the same
    ppt (naming none counts as a type of its own); with `append` all stay. No value twice.
    """
    added = tuple(from_clearip)
    received = tuple(received)
    if not received:
        return tuple(dict.fromkeys(added))
    replaced = {ppt_of(value) for value in added} if mode == "replace" else set()
    kept = (value for value in received if ppt_of(value) not in replaced)
    return tuple(dict.fromkeys((*kept, *added)))


def _elements(values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from split_list(unfold(value))


def _refusal(value: str) -> str | None:
    """Say why a value cannot be sent on, None when it can."""
    if len(value) > MAX_IDENTITY_LENGTH:
        return f"longer than {MAX_IDENTITY_LENGTH} characters"
    # The first half is the quick answer for nearly all values.
    if not (value.isascii() and value.isprintable()) and not _PRINTABLE.fullmatch(value):
        return "character that no Identity may hold"
    return None
