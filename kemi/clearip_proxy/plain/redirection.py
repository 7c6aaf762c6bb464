"""The plain answer of ClearIP: a 302 with contacts at addresses, and PASSporTs."""

import re
from collections.abc import Collection, Mapping
from operator import itemgetter
from typing import NamedTuple

from clearip_proxy.decisions import ClearIpAnswer, Fork, Noted
from clearip_proxy.moment import Moment
from clearip_proxy.policy import SearchPolicy
from clearip_proxy.response_context import HeaderChanges, ResponseContext, Target
from clearip_proxy.sip.identity import MAX_IDENTITY_LENGTH
from clearip_proxy.verdict import Verdict

MOST_CONTACTS = 12
MOST_IDENTITIES = 8
_STATUS_LINE = re.compile(r"SIP/2\.0 302 ([!-~]+(?: [!-~]+)*)")
_USER = r"[!#-+.-9;=A-~-]+"
_PORT = r"(?::[1-9][0-9]{0,4})?"
_CONTACT = re.compile(
    rf"<(sip:{_USER}@([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+{_PORT}))>"
    r"(?:;q=(0|1|0\.[0-9]{1,3}|1\.0{1,3}))?"
)
_TO = re.compile(rf"sip:(?:{_USER}@)?([a-z0-9-]+(?:\.[a-z0-9-]+)*{_PORT})(?:;user=phone)?")


class PlainRedirection(NamedTuple):
    """What such an answer says."""

    reason_phrase: str
    contacts: tuple[str, ...]
    """The target set: URIs, most preferred first."""
    identities: tuple[str, ...]


def plain_redirection(
    raw: str, passed_over: Collection[str], usable: Mapping[str, bool], to_uri: str
) -> PlainRedirection | None:
    """Read a plain answer whose contacts are all usable, and none of them what To says.

    `passed_over` are the names of header fields that nothing follows from; `usable` says of a
    `host:port` whether targets there are addresses of others over UDP.
    """
    head, _, _ = raw.partition("\r\n\r\n")
    lines = head.split("\r\n")
    begins = _STATUS_LINE.fullmatch(lines[0])
    to = _TO.fullmatch(to_uri)
    if begins is None or to is None or not "".join(lines).isprintable():
        return None
    elements: list[str] = []
    identities: list[str] = []
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        if name == "Contact":
            elements += value.split(",")
        elif name == "Identity":
            identities.append(value)
        elif name not in passed_over:
            return None
    contacts = _targets(elements, usable, to[1])
    if contacts is None or not _are_plain(identities):
        return None
    return PlainRedirection(begins[1], contacts, tuple(identities))


def _targets(
    elements: list[str], usable: Mapping[str, bool], to_place: str
) -> tuple[str, ...] | None:
    """Return the contacts, most preferred first and none twice; None unless all are plain."""
    if not 0 < len(elements) <= MOST_CONTACTS:
        return None
    found: list[tuple[float, str]] = []
    for element in elements:
        contact = _CONTACT.fullmatch(element.strip(" "))
        if contact is None or not usable[contact[2]] or _may_be(contact[2], to_place):
            return None
        found.append((-float(contact[3] or 1), contact[1]))
    found.sort(key=itemgetter(0))
    return tuple(dict.fromkeys([uri for _, uri in found]))


def _may_be(place: str, to_place: str) -> bool:
    """Tell whether two may be one place; the port that neither needs to name is 5060."""
    return place.removesuffix(":5060") == to_place.removesuffix(":5060")


def _are_plain(identities: list[str]) -> bool:
    if not len(set(identities)) == len(identities) <= MOST_IDENTITIES:
        return False
    return all(
        value.isascii()
        and "," not in value
        and len(value) <= MAX_IDENTITY_LENGTH
        and value == value.strip(" ")
        and value
        for value in identities
    )


def after_plain(
    answer: PlainRedirection, clearip_uri: str, policy: SearchPolicy, now: Moment
) -> Noted:
    """Decide what follows: the first contact is tried, signed."""
    contacts, identities = answer.contacts, answer.identities
    context = ResponseContext(
        clearip_uri,
        tuple([Target(uri) for uri in contacts[1:]]),
        (HeaderChanges((), tuple([("Identity", value) for value in identities])),),
        search_ends_ms=now.monotonic_ms + policy.search_timeout_ms,
        tried=1,
    )
    fork = Fork(
        contacts[0],
        context,
        min(policy.no_response_timeout_ms, policy.search_timeout_ms),
        min(policy.answer_timeout_ms, policy.search_timeout_ms),
    )
    note = (
        f"ClearIP answered 302 {answer.reason_phrase} (route): "
        f"{len(contacts)} contacts, {len(identities)} Identity"
    )
    return Noted((note,), fork, answer=ClearIpAnswer(Verdict.ROUTE, len(contacts)))
