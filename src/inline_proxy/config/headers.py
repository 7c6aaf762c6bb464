"""The part `headers`: what ClearIP's response gives to the request that goes to the target."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from inline_proxy.config.faults import Refused
from inline_proxy.config.key import key
from inline_proxy.config.scalars import one_of, text
from inline_proxy.config.values import ListOf, Value

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
