"""Contact header fields of a redirect (RFC 3261 §20.10) and the target set made of them.

What the RFC leaves open is decided here:

- a contact without `q` counts as q=1: the RFC gives no default, this is common practice;
- a malformed `q` is a fault, and the contact is kept: `.5` and `0.98765` are read as what
  they plainly mean, cut to thousandths; anything else counts as q=0, so that a mistake is
  never preferred to a contact that is in order;
- where several `q` are given, the first counts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from clearip_proxy.sip.faults import first_faults
from clearip_proxy.sip.grammar import (
    Parameters,
    canonical_name,
    find_parameter,
    has_control,
    split_list,
    split_name_addr,
    split_parameters,
    unfold,
    unquote_string,
)
from clearip_proxy.sip.uri import MalformedUri, Uri, parse_uri

MAX_CONTACTS = 64
"""Contacts read from one response; ClearIP sends twelve at most."""
MAX_CONTACT_LENGTH = 65_536
"""Characters read from the Contact values of one response, together."""

REMEMBERED = 256
"""Texts of parameters that each process remembers, `;q=0.9` and the like."""
LONGEST_REMEMBERED = 64
"""Characters of such a text."""

HIGHEST_Q = 1000
LOWEST_Q = 0

_PLAIN = re.compile(r"<([!#-;=?-~]+)>(;[!#-+.-;=?-~]*)?")
"""A URI in brackets and parameters without quotes or commas: what nearly every contact is."""
_QVALUE = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_PLAIN_NUMBER = re.compile(r"[01]?(?:\.[0-9]*)?")


class Contact(NamedTuple):
    """One contact of a response."""

    uri: Uri
    uri_text: str
    """The URI to the letter, without embedded headers: what a Request-URI is made of."""
    display_name: str
    """Without its quotes; empty when there is none."""
    q: int
    """Preference in thousandths, 0 to 1000."""
    params: Parameters
    """Header parameters, `q` among them, to the letter."""
    position: int
    """Place among all contacts of the response, malformed ones included; from 1."""

    @property
    def embedded_headers(self) -> tuple[tuple[str, str], ...]:
        """The headers embedded in the URI, decoded: (canonical name, value)."""
        return tuple((canonical_name(name), value) for name, value in self.uri.headers)


@dataclass(frozen=True, slots=True)
class ParsedContacts:
    """The contacts in the order given, and what was wrong with the others."""

    contacts: tuple[Contact, ...]
    faults: tuple[str, ...]
    """Faults by position; never what the contact held."""


def parse_contacts(values: Iterable[str]) -> ParsedContacts:
    """Read the values of all Contact header fields of one response; never raises."""
    contacts: list[Contact] = []
    faults: list[str] = []
    elements, truncations = _bounded_elements(values)
    for position, element in enumerate(elements, start=1):
        try:
            contact, contact_faults = _parse_contact(element, position)
        except MalformedUri as malformed:
            faults.append(f"contact {position}: {malformed}")
            continue
        contacts.append(contact)
        if contact_faults:
            faults.extend(f"contact {position}: {fault}" for fault in contact_faults)
    all_faults = (*truncations, *faults)
    return ParsedContacts(tuple(contacts), first_faults(all_faults) if all_faults else ())


def target_set(contacts: Iterable[Contact]) -> tuple[Contact, ...]:
    """Order contacts for a sequential search: q descending, ties in the order given.

    A URI text comes up once, at its best place (RFC 3261 §16.5: no target twice).
    """
    targets: dict[str, Contact] = {}
    for contact in sorted(contacts, key=_by_preference):
        targets.setdefault(contact.uri_text, contact)
    return tuple(targets.values())


def _by_preference(contact: Contact) -> int:
    return -contact.q


def _bounded_elements(values: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split values into contacts, up to the bounds; the second item says what was cut."""
    elements: list[str] = []
    room = MAX_CONTACT_LENGTH
    for value in values:
        room -= len(value)
        if room < 0:
            return elements, (f"contacts: more than {MAX_CONTACT_LENGTH} characters",)
        elements.extend(split_list(unfold(value)))
        if len(elements) > MAX_CONTACTS:
            return elements[:MAX_CONTACTS], (f"contacts: more than {MAX_CONTACTS}",)
    return elements, ()


def _parse_contact(element: str, position: int) -> tuple[Contact, tuple[str, ...]]:
    """Parse one contact; the second item holds faults that leave it usable."""
    display_name, address, rest = _split_contact(element)
    uri = parse_uri(address)
    params, q, q_faults = _parse_parameters(rest)
    uri_text = uri.without_headers() if uri.header_part else uri.text
    contact = Contact(uri, uri_text, display_name, q, params, position)
    return contact, q_faults + uri.faults


def _parse_parameters(text: str) -> tuple[Parameters, int, tuple[str, ...]]:
    """Return header parameters, q in thousandths and a fault when that is malformed.

    They are the same in call after call; only what is hostile is too long to be remembered.
    """
    if len(text) <= LONGEST_REMEMBERED:
        return _remembered_parameters(text)
    return _remembered_parameters.__wrapped__(text)


@lru_cache(maxsize=REMEMBERED)
def _remembered_parameters(text: str) -> tuple[Parameters, int, tuple[str, ...]]:
    params = split_parameters(text)
    return params, *_parse_q(find_parameter(params, "q"))


def _split_contact(element: str) -> tuple[str, str, str]:
    """Return display name, URI and the text of the header parameters."""
    plain = _PLAIN.fullmatch(element)
    if plain is not None:
        return "", plain[1], plain[2] or ""
    if has_control(element):
        raise MalformedUri("control character")
    if element == "*":
        raise MalformedUri("a wildcard names no target")
    name_addr = split_name_addr(element)
    if name_addr is None:
        return "", *_split_addr_spec(element)
    name, address, rest = name_addr
    rest = rest.strip(" \t")
    if rest and not rest.startswith(";"):
        raise MalformedUri("text after the angle brackets")
    return unquote_string(name.strip(" \t")), address.strip(" \t"), rest


def _split_addr_spec(element: str) -> tuple[str, str]:
    """Split a URI without brackets from its parameters, which are the header's (§20.10).

    A semicolon in the user part ought to be in brackets; it is read as what is meant.
    """
    user_end = element.partition('"')[0].find("@")
    semicolon = element.find(";", user_end + 1)
    if semicolon < 0:
        return element, ""
    return element[:semicolon].rstrip(" \t"), element[semicolon:]


def _parse_q(text: str | None) -> tuple[int, tuple[str, ...]]:
    """Return q in thousandths and a fault when it is outside the grammar."""
    if text is None:
        return HIGHEST_Q, ()
    faults = () if _QVALUE.fullmatch(text) else ("malformed q",)
    if not _PLAIN_NUMBER.fullmatch(text):
        return LOWEST_Q, faults
    whole, _, fraction = text.partition(".")
    q = int(whole or "0") * 1000 + int(fraction[:3].ljust(3, "0"))
    return (q if q <= HIGHEST_Q else LOWEST_Q), faults
