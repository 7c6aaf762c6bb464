"""The part `targets`: the sequential search through the targets of a call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Literal

from inline_proxy.config.faults import Refused
from inline_proxy.config.key import key
from inline_proxy.config.scalars import matching, number, one_of
from inline_proxy.config.sip_uri import ALLOWED, sip_uri
from inline_proxy.config.values import ListOf, NamesTo, Value

# These end the search wherever they come from: RFC 3261 §16.7 has the caller see them.
_ENDS_THE_SEARCH: Final = {
    401: "is a question to the caller for credentials, which ends the search",
    407: "is a question to the caller for credentials, which ends the search",
    486: 'is a person\'s "no" (busy), which ends the search',
    487: "is the answer to a cancelled call, which ends the search",
}
_GLOBAL_FAILURE: Final = "is a person's or ClearIP's \"no\" for every target, which ends the search"
_REDIRECTION: Final = "is a redirection, by which a target has failed in any case"
_CLASSES: Final = {
    first: frozenset(range(first * 100, first * 100 + 100)) - _ENDS_THE_SEARCH.keys()
    for first in (4, 5)
}
# RFC 4904 §4, trunk-group-label, without escapes; a host name (RFC 3261 §25.1) is one as well.
_ALIAS: Final = r"[A-Za-z0-9\-_.!~*'()&+$/]{1,253}"
SIP_URI: Final = Value(sip_uri, wrong="is not a SIP URI", allowed=ALLOWED)


def response_codes(value: object) -> frozenset[int]:
    """The codes that one entry of `advance_on` stands for: itself, or its class."""
    if isinstance(value, str) and value.lower() in ("4xx", "5xx"):
        return _CLASSES[int(value[0])]
    if isinstance(value, str) and value.lower() in ("3xx", "6xx"):
        _refuse_class(int(value[0]))
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused
    if value in _ENDS_THE_SEARCH:
        raise Refused(_ENDS_THE_SEARCH[value])
    _refuse_class(value // 100)
    return frozenset((value,))


def _refuse_class(first: int) -> None:
    if first in _CLASSES:
        return
    raise Refused({3: _REDIRECTION, 6: _GLOBAL_FAILURE}.get(first, ""))


def _union(sets: Sequence[frozenset[int]]) -> frozenset[int]:
    return frozenset(chain.from_iterable(sets))


@dataclass(frozen=True, slots=True)
class Targets:
    """How long a target is waited for, and what moves the search on to the next one."""

    no_response_timeout_ms: int = field(
        default=4000,
        metadata=key(
            number(100, 32000, wrong="is not a time that works"),
            "How long a target may send nothing at all, not even 100, until the next is tried.",
            unit="milliseconds",
            example="3000",
        ),
    )
    answer_timeout_ms: int = field(
        default=60000,
        metadata=key(
            number(100, 600_000, wrong="is not a time that works"),
            "How long a target may stay without final response after a provisional one.",
            unit="milliseconds",
            example="45000",
        ),
    )
    search_timeout_ms: int = field(
        default=120_000,
        metadata=key(
            number(100, 600_000, wrong="is not a time that works"),
            "How long the whole search may take, over all targets.",
            unit="milliseconds",
            example="90000",
        ),
    )
    advance_on: frozenset[int] = field(
        default=frozenset((408, 500, 502, 503, 504)),
        metadata=key(
            ListOf(
                Value(
                    response_codes,
                    wrong="is not a response code that moves on",
                    allowed="a code from 400 to 599 without quotes, or 4xx or 5xx; never 401, 407, "
                    "486 and 487, which 4xx leaves out",
                ),
                allowed="a list of response codes and classes",
                collect=_union,
            ),
            "The final responses of a target after which the next target is tried; all others go "
            "to the caller.",
            example="[404, 408, 480, 5xx]",
        ),
    )
    aliases: Mapping[str, str] = field(
        default_factory=dict,
        metadata=key(
            NamesTo(
                SIP_URI,
                name=Value(
                    matching(_ALIAS),
                    wrong="is neither a trunk group id nor a host name",
                    allowed="1 to 253 letters, digits and -_.!~*'()&+$/, in either case",
                ),
                allowed="a mapping of trunk group ids or host names to SIP URIs",
                same=str.lower,
            ),
            "The SIP URI for a trunk group id (`tgrp` or `dtg`) or host name in a Contact of "
            "ClearIP's, wherever that name would have led; a URI without user part is called with "
            "the Contact's.",
            example="{tg-west: sip:192.0.2.20:5060}",
        ),
    )
    large_request: Literal["tcp", "udp"] = field(
        default="tcp",
        metadata=key(
            one_of("tcp", "udp"),
            "How a request of more than 1300 bytes goes to a UDP target: over TCP, and over UDP "
            "where that is refused (RFC 3261 §18.1.1), or over UDP always. A target whose URI says "
            "`transport=udp` gets UDP in any case.",
            example="udp",
        ),
    )
    identity_max_age_s: int = field(
        default=60,
        metadata=key(
            number(10, 3600, wrong="is not an age that works"),
            "How old an Identity of ClearIP's may be when a further target is about to be tried; "
            "strict verifiers refuse what is older than 60 seconds (RFC 8224 §6.2.2).",
            unit="seconds",
            example="45",
        ),
    )
    on_stale_identity: Literal["continue", "ask_again"] = field(
        default="continue",
        metadata=key(
            one_of("continue", "ask_again"),
            "What follows when it is older: the search goes on with it, which is counted, or "
            "ClearIP is asked once more and what it signs then goes to the targets that are left.",
            example="ask_again",
        ),
    )
