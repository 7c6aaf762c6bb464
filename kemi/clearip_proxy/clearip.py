"""ClearIP's final responses: what each one means (docs/clearip-answers.md has the same table)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from clearip_proxy.contact import Contact, parse_contacts, target_set
from clearip_proxy.grammar import canonical_name
from clearip_proxy.identity import parse_identities
from clearip_proxy.message import SipResponse
from clearip_proxy.uri import Uri, same_destination

FIRST_CLIENT_FAILURE = 400
FIRST_GLOBAL_FAILURE = 600


class Verdict(Enum):
    """What a final response of ClearIP tells the proxy to do."""

    ROUTE = auto()
    """Search the contacts; without a usable one ClearIP chose no route."""
    NO_ROUTE = auto()
    """Nothing to add, no route chosen: the normal "all is well"."""
    REFUSE = auto()
    """The call ends here; the answer is the caller's."""
    SETUP_FAULT = auto()
    """ClearIP did not analyse the call: the set-up is at fault."""


_BY_STATUS = {
    302: Verdict.ROUTE,
    404: Verdict.NO_ROUTE,
    503: Verdict.NO_ROUTE,
    401: Verdict.REFUSE,
    407: Verdict.REFUSE,
    484: Verdict.REFUSE,
}


def verdict_of(status: int) -> Verdict:
    """Tell what a final response of ClearIP means, by its status code."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < FIRST_CLIENT_FAILURE:
        return Verdict.ROUTE
    return Verdict.REFUSE if status >= FIRST_GLOBAL_FAILURE else Verdict.SETUP_FAULT


@dataclass(frozen=True, slots=True)
class ClearIpResponse:
    """A final response of ClearIP, read as far as routing needs it."""

    status: int
    reason_phrase: str
    contacts: tuple[Contact, ...] = ()
    """The target set: most preferred first, no URI twice."""
    identities: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """Other header fields that are copied when configured, by their canonical name."""
    faults: tuple[str, ...] = ()


_IDENTITY_NAMES = ("identity", "x-identity")


def read_response(response: SipResponse, copied_headers: Iterable[str]) -> ClearIpResponse:
    """Take from a final response of ClearIP what the branches to the targets need.

    `copied_headers` are the configured names; Identity and X-Identity are one list.
    """
    contacts = parse_contacts(response.values("Contact"))
    wanted = {canonical_name(name): name for name in copied_headers}
    identities = parse_identities(
        value for name in _IDENTITY_NAMES if name in wanted for value in response.values(name)
    )
    headers = tuple(
        (name, value)
        for canonical, name in wanted.items()
        if canonical not in _IDENTITY_NAMES
        for value in response.values(name)
    )
    return ClearIpResponse(
        response.status,
        response.reason_phrase,
        target_set(contacts.contacts),
        identities.values,
        headers,
        (*response.faults, *contacts.faults, *identities.faults),
    )


def is_route(contact: Contact, asked: Uri, clearip_domain: str, own: frozenset[str]) -> bool:
    """Tell a real destination from a pointer back to where the call came from.

    ClearIP answers a data-only 302 with a Contact in its own domain, or equal to the URI it
    was asked with; following that, or a Contact that names the proxy, would loop. `own` holds
    the proxy's own `host:port` pairs.
    """
    uri = contact.uri
    if uri.scheme not in {"sip", "sips"} or f"{uri.canonical_host}:{uri.effective_port}" in own:
        return False
    host = uri.canonical_host
    if host == clearip_domain or host.endswith("." + clearip_domain):
        return False
    return not same_destination(uri, asked)
