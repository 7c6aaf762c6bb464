"""What a contact of ClearIP leads to: a real destination, a pointer back, or nowhere."""

from dataclasses import dataclass

from clearip_proxy.contact import Contact
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.uri import MalformedUri, Uri, parse_uri, same_destination


@dataclass(frozen=True, slots=True)
class Destination:
    """A contact that can be tried."""

    contact: Contact
    uri: str
    """The Request-URI."""
    is_diversion: bool = False


@dataclass(frozen=True, slots=True)
class NoDestination:
    """A contact that cannot, and why."""

    contact: Contact
    reason: str


@dataclass(frozen=True, slots=True)
class AskedWith:
    """The URIs that a contact may merely repeat."""

    request_uri: str
    to_uri: str


def destination_of(
    contact: Contact, asked: AskedWith, policy: RoutingPolicy
) -> Destination | NoDestination:
    """Tell what a contact leads to.

    ClearIP answers a data-only 302 with a Contact in its own domain, or equal to the URI that
    it was asked with or that stands in To; following that, or a Contact that names the proxy,
    would loop. An alias of the configuration wins over all but the last.
    """
    uri = contact.uri
    diverts = uri.canonical_host in policy.clearip.diversion_hosts
    alias = _alias_of(uri, policy)
    if alias is not None:
        return _unless_own(Destination(contact, aliased(alias, uri), diverts), policy)
    if uri.scheme not in {"sip", "sips"}:
        return NoDestination(contact, f"scheme {uri.scheme} leads to no host")
    if not diverts and (pointer := _points_back(uri, asked, policy)) is not None:
        return NoDestination(contact, pointer)
    return _unless_own(Destination(contact, contact.uri_text, diverts), policy)


def _alias_of(uri: Uri, policy: RoutingPolicy) -> str | None:
    """Return the configured URI for a trunk group (RFC 4904) or host name, if there is one."""
    aliases = policy.search.aliases
    if not aliases:
        return None
    names = (uri.user_param("tgrp"), uri.param("tgrp"), uri.param("dtg"), uri.canonical_host)
    return next((aliases[name.lower()] for name in names if name and name.lower() in aliases), None)


def aliased(alias: str, uri: Uri) -> str:
    """Put the called user into an alias, or a configured route, that names none."""
    if uri.user is None or parse_uri(alias).user is not None:
        return alias
    return alias.replace(":", f":{uri.user}@", 1)


def _unless_own(destination: Destination, policy: RoutingPolicy) -> Destination | NoDestination:
    uri = parse_uri(destination.uri)
    if f"{uri.canonical_host}:{uri.effective_port}" in policy.own:
        return NoDestination(destination.contact, "points to the proxy itself")
    return destination


def _points_back(uri: Uri, asked: AskedWith, policy: RoutingPolicy) -> str | None:
    host, domain = uri.canonical_host, policy.clearip.domain
    if host == domain or host.endswith("." + domain):
        return "points to ClearIP's own domain"
    if _same(uri, asked.request_uri):
        return "repeats the URI that ClearIP was asked with"
    if not policy.clearip.to_uri_is_route and _same(uri, asked.to_uri):
        return "repeats the To URI"
    return None


def _same(uri: Uri, text: str) -> bool:
    try:
        return same_destination(uri, parse_uri(text))
    except MalformedUri:
        return False
