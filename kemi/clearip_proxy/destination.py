"""What a contact of ClearIP leads to: a real destination, a pointer back, or nowhere."""

from dataclasses import dataclass
from functools import lru_cache

from clearip_proxy.location.next_hop import is_multicast
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy
from clearip_proxy.sip.contact import Contact
from clearip_proxy.sip.uri import MalformedUri, Uri, parse_uri, same_destination

REMEMBERED = 256
"""Hosts of which each process remembers whether they are ClearIP's."""
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
    alias = _alias_of(uri, policy) if policy.search.aliases else None
    target = contact.uri_text if alias is None else aliased(alias, uri)
    reason = _unusable(uri) if alias is None else None
    if reason is None and alias is None and not diverts:
        reason = _points_back(uri, asked, policy)
    if reason is None and leads_here(uri if alias is None else parse_uri(target), policy):
        reason = "points to the proxy itself"
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
    names = (uri.user_param("tgrp"), uri.param("tgrp"), uri.param("dtg"), uri.canonical_host)
    return next((aliases[name.lower()] for name in names if name and name.lower() in aliases), None)


def aliased(alias: str, uri: Uri) -> str:
    """Put the called user into an alias, or a configured route, that names none."""
    if uri.user is None or parse_uri(alias).user is not None:
        return alias
    return alias.replace(":", f":{uri.user}@", 1)


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
    hosts = {uri.canonical_host, uri.target_host} if uri.parameters else {uri.canonical_host}
    return any(_names_clearip(host, uri.port, clearip.domains, clearip.sites) for host in hosts)


@lru_cache(maxsize=REMEMBERED)
def _names_clearip(
    host: str, port: int | None, domains: tuple[str, ...], sites: tuple[str, ...]
) -> bool:
    """Tell it of a host; few hosts are the targets of many calls."""
    if any(host == domain or host.endswith(f".{domain}") for domain in domains):
        return True
    places = [parse_uri(text) for text in sites]
    return any(host == site.canonical_host and port in {None, site.port} for site in places)


def _same(uri: Uri, text: str) -> bool:
    try:
        return same_destination(uri, parse_uri(text))
    except MalformedUri:
        return False
