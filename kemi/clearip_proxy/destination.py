"""What a contact of ClearIP leads to: a real destination, a pointer back, or nowhere."""

from dataclasses import dataclass
from functools import cache

from clearip_proxy.contact import Contact
from clearip_proxy.next_hop import is_multicast
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy
from clearip_proxy.uri import MalformedUri, Uri, parse_uri, same_destination

TRANSPORTS = frozenset({None, "udp", "tcp", "tls"})
"""What a Contact may ask for with `transport=`."""


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
    is_diversion: bool = False


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
    target = contact.uri_text if alias is None else aliased(alias, uri)
    reason = _unusable(uri) if alias is None else None
    if reason is None and alias is None and not diverts:
        reason = _points_back(uri, asked, policy)
    reason = reason or _own(target, policy)
    if reason is not None:
        return NoDestination(contact, reason, diverts)
    return Destination(contact, target, diverts)


def _unusable(uri: Uri) -> str | None:
    if uri.scheme not in {"sip", "sips"}:
        return f"scheme {uri.scheme} leads to no host"
    if uri.transport not in TRANSPORTS:
        return f"transport {uri.transport} is none of the proxy's"
    if is_multicast(uri):
        return "maddr is a multicast address"
    return None


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


def _own(target: str, policy: RoutingPolicy) -> str | None:
    return "points to the proxy itself" if leads_here(parse_uri(target), policy) else None


def leads_here(uri: Uri, policy: RoutingPolicy) -> bool:
    """Tell a URI that names one of the proxy's own listeners."""
    return f"{uri.target_host}:{uri.effective_port}" in policy.own


def _points_back(uri: Uri, asked: AskedWith, policy: RoutingPolicy) -> str | None:
    if _is_of_clearip(uri, policy.clearip):
        return "points to ClearIP's own domain"
    if _same(uri, asked.request_uri):
        return "repeats the URI that ClearIP was asked with"
    if not policy.clearip.to_uri_is_route and _same(uri, asked.to_uri):
        return "repeats the To URI"
    return None


def _is_of_clearip(uri: Uri, clearip: ClearIpPolicy) -> bool:
    """Tell a host in one of ClearIP's domains, or one of the sites where it is asked.

    A site's address with another port may be anything: a laboratory has one for all.
    """
    sites = [parse_uri(text) for text in clearip.sites]
    for host in {uri.canonical_host, uri.target_host}:
        if f".{host}".endswith(_endings(clearip.domains)):
            return True
        if any(host == site.canonical_host and uri.port in {None, site.port} for site in sites):
            return True
    return False


@cache
def _endings(domains: tuple[str, ...]) -> tuple[str, ...]:
    """Return how the names in domains end, with a dot before each; the same for every call."""
    return tuple(f".{domain}" for domain in domains)


def _same(uri: Uri, text: str) -> bool:
    try:
        return same_destination(uri, parse_uri(text))
    except MalformedUri:
        return False
