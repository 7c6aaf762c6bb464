"""Where a branch is really sent: transport, address and port (RFC 3263, RFC 3261 §18.1.1)."""

from functools import lru_cache
from ipaddress import ip_address

from clearip_proxy.policy import SearchPolicy
from clearip_proxy.sip.uri import Uri

LARGEST_OVER_UDP = 1300
"""Bytes of a request that UDP carries for sure where the path MTU is not known (§18.1.1)."""
REMEMBERED = 256
"""Hosts of which each process remembers whether they are addresses; targets are few."""
ADDED_BY_PROXY = 250
"""Bytes that Via and a double Record-Route add to a request, rounded up."""


def needs_look_up(uri: Uri) -> bool:
    """Tell whether requests to a URI are sent to a host name, not to an address."""
    return not is_address(uri.target_host)


def is_named(uri: Uri) -> bool:
    """Tell whether a URI names its host: what TLS asks for (RFC 6066 §3: never an address)."""
    return not is_address(uri.canonical_host)


@lru_cache(maxsize=REMEMBERED)
def is_address(host: str) -> bool:
    """Tell an IPv4 or IPv6 address, with or without brackets, from a host name."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_multicast(uri: Uri) -> bool:
    """Tell a group of hosts, where one INVITE would ring many: nothing to search one by one."""
    return _is_group(uri.target_host)


@lru_cache(maxsize=REMEMBERED)
def _is_group(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_multicast
    except ValueError:
        return False


def is_udp(uri: Uri) -> bool:
    """Tell whether a URI leads to a target over UDP (RFC 3263 §4.1: the default of SIP)."""
    return uri.scheme != "sips" and uri.transport in {None, "udp"}


def outgrows_udp(uri: Uri, received_bytes: int, added_bytes: int, policy: SearchPolicy) -> bool:
    """Tell whether a request is too large to be sent to this target over UDP.

    The size of what goes out is what came in, and what ClearIP and the proxy add to it.
    """
    if policy.large_request == "udp" or not is_udp(uri):
        return False
    return received_bytes + added_bytes + ADDED_BY_PROXY > LARGEST_OVER_UDP


def over_tcp(uri: Uri) -> str:
    """Return the URI of the same host and port over TCP."""
    port = "" if uri.port is None else f":{uri.port}"
    return f"sip:{uri.target_host}{port};transport=tcp"
