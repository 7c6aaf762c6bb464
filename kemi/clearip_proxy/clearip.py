"""What a final response of ClearIP carries: contacts, Identity, header fields to copy."""

from collections.abc import Iterable
from dataclasses import dataclass

from clearip_proxy.contact import Contact, parse_contacts, target_set
from clearip_proxy.grammar import canonical_name
from clearip_proxy.identity import parse_identities
from clearip_proxy.message import SipResponse

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
    return ClearIpResponse(
        response.status,
        response.reason_phrase,
        target_set(contacts.contacts),
        carried,
        (*response.faults, *contacts.faults, *faults),
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
    others = tuple(
        (wanted[name], value)
        for name, value in found
        if name in wanted and name not in IDENTITY_NAMES
    )
    return CarriedHeaders(identities.values, others), identities.faults
