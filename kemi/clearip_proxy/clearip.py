"""What a final response of ClearIP carries: contacts, Identity, header fields to copy."""

from collections.abc import Iterable
from dataclasses import dataclass

from clearip_proxy.contact import Contact, parse_contacts, target_set
from clearip_proxy.faults import first_faults
from clearip_proxy.grammar import canonical_name
from clearip_proxy.identity import parse_identities
from clearip_proxy.message import SipResponse

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


@dataclass(frozen=True, slots=True)
class ClearIpResponse:
    """A final response of ClearIP, read as far as routing needs it."""

    status: int
    reason_phrase: str
    contacts: tuple[Contact, ...] = ()
    """The target set: most preferred first, no URI twice."""
    carried: CarriedHeaders = CarriedHeaders()
    faults: tuple[str, ...] = ()


def read_response(response: SipResponse, copied: Iterable[str]) -> ClearIpResponse:
    """Take from a final response what the branches to the targets need.

    `copied` are the configured header names; Identity and X-Identity are one list.
    """
    contacts = parse_contacts(response.values("Contact"))
    carried, faults = carried_headers(response.headers, copied)
    embedded = (
        f"contact {contact.position}: {fault}"
        for contact in contacts.contacts
        if contact.embedded_headers
        for fault in carried_headers(contact.embedded_headers, copied)[1]
    )
    return ClearIpResponse(
        response.status,
        response.reason_phrase,
        target_set(contacts.contacts),
        carried,
        first_faults((*response.faults, *contacts.faults, *faults, *embedded)),
    )


def carried_headers(
    fields: Iterable[tuple[str, str]], copied: Iterable[str]
) -> tuple[CarriedHeaders, tuple[str, ...]]:
    """Pick the configured header fields; the second item says what was refused.

    Only names that are configured pass: a contact's embedded headers must never set a From or
    a Route (RFC 3261 §19.1.5), and the configuration refuses such names.
    """
    wanted = {canonical_name(name): name for name in copied}
    found = [(canonical_name(name), value) for name, value in fields]
    identities = parse_identities(
        value
        for identity in IDENTITY_NAMES
        if identity in wanted
        for name, value in found
        if name == identity
    )
    copies = [each for each in found if each[0] in wanted and each[0] not in IDENTITY_NAMES]
    others = tuple((wanted[name], value) for name, value in copies if len(value) <= MAX_LENGTH)
    too_long = tuple(
        f"{wanted[name]}: longer than {MAX_LENGTH} characters"
        for name, value in copies
        if len(value) > MAX_LENGTH
    )
    return CarriedHeaders(identities.values, others), (*identities.faults, *too_long)
