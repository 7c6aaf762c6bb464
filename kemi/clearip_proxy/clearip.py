"""What a final response of ClearIP carries: contacts, Identity, header fields to copy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from clearip_proxy.sip.contact import Contact, parse_contacts, target_set
from clearip_proxy.sip.faults import first_faults
from clearip_proxy.sip.grammar import canonical_name, is_utf8
from clearip_proxy.sip.identity import parse_identities
from clearip_proxy.sip.message import SipResponse

MAX_LENGTH = 8_192
"""Characters in one value of a copied header field; Identity has a limit of its own."""
IDENTITY_NAMES = ("identity", "x-identity")
"""The names under which ClearIP returns PASSporTs, in canonical form."""


@dataclass(frozen=True, slots=True)
class CarriedHeaders:
    """What a branch gets from a response, or from the URI of one of its contacts."""

    identities: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    """(name as configured, value), in order."""


NOTHING_CARRIED = CarriedHeaders()


@dataclass(frozen=True, slots=True)
class ClearIpResponse:
    """A final response of ClearIP, read as far as routing needs it."""

    status: int
    reason_phrase: str
    contacts: tuple[Contact, ...] = ()
    """The target set: most preferred first, no URI twice."""
    carried: CarriedHeaders = NOTHING_CARRIED
    faults: tuple[str, ...] = ()


def read_response(response: SipResponse, copied: Iterable[str]) -> ClearIpResponse:
    """Take from a final response what the branches to the targets need.

    `copied` are the configured header names; Identity and X-Identity are one list.
    """
    contacts = parse_contacts(response.values("Contact"))
    carried, faults = carried_headers(response.headers, copied)
    embedded = [
        f"contact {contact.position}: {fault}"
        for contact in contacts.contacts
        if contact.uri.headers
        for fault in carried_headers(contact.embedded_headers, copied)[1]
    ]
    all_faults = (*response.faults, *contacts.faults, *faults, *embedded)
    return ClearIpResponse(
        response.status,
        response.reason_phrase,
        target_set(contacts.contacts),
        carried,
        first_faults(all_faults) if all_faults else (),
    )


def carried_headers(
    fields: Iterable[tuple[str, str]], copied: Iterable[str]
) -> tuple[CarriedHeaders, tuple[str, ...]]:
    """Pick from (canonical name, value) what is configured; the second item says what is refused.

    Only names that are configured pass: a contact's embedded headers must never set a From or
    a Route (RFC 3261 §19.1.5), and the configuration refuses such names.
    """
    wanted = _by_canonical_name(tuple(copied))
    found = [field for field in fields if field[0] in wanted]
    if not found:
        return NOTHING_CARRIED, ()
    identities = parse_identities(
        [value for identity in IDENTITY_NAMES for name, value in found if name == identity]
    )
    others: list[tuple[str, str]] = []
    faults = list(identities.faults)
    for name, value in found:
        if name in IDENTITY_NAMES:
            continue
        if refusal := _refusal(value):
            faults.append(f"{wanted[name]}: {refusal}")
        else:
            others.append((wanted[name], value))
    return CarriedHeaders(identities.values, tuple(others)), tuple(faults)


@lru_cache(maxsize=8)
def _by_canonical_name(names: tuple[str, ...]) -> Mapping[str, str]:
    """Return the names as configured, by their canonical form; the same for every call."""
    return MappingProxyType({canonical_name(name): name for name in names})


def _refusal(value: str) -> str:
    """Say why a value cannot be sent on; "" when it can.

    A value with control characters does not come this far.
    """
    if len(value) > MAX_LENGTH:
        return f"longer than {MAX_LENGTH} characters"
    return "" if is_utf8(value) else "no UTF-8"
