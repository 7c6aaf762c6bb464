"""Which header fields a branch loses and gets."""

from collections.abc import Iterable
from dataclasses import dataclass

from clearip_proxy.clearip import CarriedHeaders
from clearip_proxy.policy import DisplayNameRule, HeaderPolicy
from clearip_proxy.response_context import HeaderChanges
from clearip_proxy.sip.display_name import rewritten
from clearip_proxy.sip.grammar import canonical_name, split_list
from clearip_proxy.sip.identity import merge_identities
from clearip_proxy.sip.uri import scheme_of

ASSERTED_IDENTITY = "p-asserted-identity"
NAMED_HEADERS = frozenset({ASSERTED_IDENTITY, "x-asserted-identity"})
"""Header fields whose display name is the caller's."""


@dataclass(frozen=True, slots=True)
class ReceivedHeaders:
    """What the caller's request has of the header fields that may change."""

    identities: tuple[str, ...] = ()
    asserted_identities: tuple[str, ...] = ()


def header_changes(
    response: CarriedHeaders,
    embedded: CarriedHeaders,
    received: ReceivedHeaders,
    policy: HeaderPolicy,
) -> HeaderChanges:
    """Work out the changes for a branch from ClearIP's response and the contact's URI.

    A header field that ClearIP returned takes the place of the received one of that name; what
    a contact embeds takes the place of what the response says. PASSporTs add up, as several
    may be needed (RFC 8224, RFC 8946), and no value comes twice.
    """
    if not (response.others or embedded.others or embedded.identities or received.identities):
        # As with most answers: PASSporTs of ClearIP's alone.
        added = [("Identity", value) for value in dict.fromkeys(response.identities)]
        return HeaderChanges(added=tuple(added))
    returned = _apart(_overridden(response.others, embedded.others))
    others = _rewritten(returned, policy.display_names)
    others = _with_kept_identities(others, received.asserted_identities)
    removed = list(dict.fromkeys(name for name, _ in others))
    identities = tuple(dict.fromkeys((*response.identities, *embedded.identities)))
    if identities:
        removed += ["Identity"] if received.identities else []
        merged = merge_identities(received.identities, identities, policy.identity_mode)
        others += [("Identity", value) for value in merged]
    return HeaderChanges(tuple(removed), tuple(others))


def _overridden(
    response: Iterable[tuple[str, str]], embedded: tuple[tuple[str, str], ...]
) -> list[tuple[str, str]]:
    names = {name for name, _ in embedded}
    kept = ((name, value) for name, value in response if name not in names)
    return list(dict.fromkeys((*kept, *embedded)))


def _apart(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give every P-Asserted-Identity a line of its own (RFC 3325 §9.1 joins them with commas)."""
    return [
        (name, part)
        for name, value in headers
        for part in (split_list(value) if canonical_name(name) == ASSERTED_IDENTITY else (value,))
    ]


def _rewritten(
    headers: list[tuple[str, str]], rules: tuple[DisplayNameRule, ...]
) -> list[tuple[str, str]]:
    if not rules:
        return headers
    return [
        (name, rewritten(value, rules) if canonical_name(name) in NAMED_HEADERS else value)
        for name, value in headers
    ]


def _with_kept_identities(
    headers: list[tuple[str, str]], received: tuple[str, ...]
) -> list[tuple[str, str]]:
    """Keep a received P-Asserted-Identity of a scheme that ClearIP did not return.

    A request may assert a sip and a tel URI (RFC 3325 §9.1); ClearIP returns the one that it
    has a name for, and the other would be lost.
    """
    returned = [entry for entry in headers if canonical_name(entry[0]) == ASSERTED_IDENTITY]
    if not returned:
        return headers
    schemes = {scheme_of(value) for _, value in returned}
    name = returned[0][0]
    parts = (part for value in received for part in split_list(value))
    kept = [(name, part) for part in parts if scheme_of(part) not in schemes]
    return [*headers, *kept]
