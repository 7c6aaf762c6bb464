"""Which address the kernel sends from, where the proxy listens on several.

Kamailio asks the kernel which address leads to a target, and cannot send when the proxy does not
listen on that one: with virtual addresses alone that is every target over UDP.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from typing import Any

import ifaddr

from inline_proxy.listeners import Address, Listener, in_uri

Interface = IPv4Interface | IPv6Interface
ANY_PORT = 5060
LAST_WITH_NEIGHBOURS = {4: 30, 6: 126}
"""The longest prefix of a network that holds other hosts, by version of IP."""


def interfaces() -> tuple[Interface, ...]:
    """Return the host's addresses, each with its network; without link-local IPv6 ones."""
    found = (
        ip_interface(f"{ip.ip if isinstance(ip.ip, str) else ip.ip[0]}/{ip.network_prefix}")
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    )
    return tuple(each for each in found if each.version == 4 or not each.is_link_local)  # noqa: PLR2004


def address_towards(destination: Address) -> Address | None:
    """Return the address that the kernel sends from; None when nothing leads there."""
    family = socket.AF_INET if destination.version == 4 else socket.AF_INET6  # noqa: PLR2004
    with socket.socket(family, socket.SOCK_DGRAM) as unsent:
        try:
            unsent.connect((str(destination), ANY_PORT))  # of UDP: no packet leaves
        except OSError:
            return None
        return ip_address(unsent.getsockname()[0])


def kernel_passes_over(
    listeners: Iterable[Listener],
    interfaces: Iterable[Interface],
    address_towards: Callable[[Address], Address | None] = address_towards,
) -> bool:
    """Tell whether the kernel sends to a network from an address that nobody listens on.

    What counts are the networks that the proxy listens in.
    """
    listened = {each.address for each in listeners if not each.is_for_outgoing}
    own = tuple(interfaces)
    local = {each.ip for each in own}
    networks = {each.network for each in own if _has_neighbours(each)}
    neighbours = (
        next(host for host in (network[-2], network[1], network[2]) if host not in local)
        for network in networks
        if any(address in network for address in listened)
    )
    sources = {address_towards(neighbour) for neighbour in neighbours}
    return not sources <= {None, *listened}


def sending_values(
    listeners: Iterable[Listener], interfaces: Iterable[Interface], *, kernel_passes_over: bool
) -> dict[str, Any]:
    """Return what the routing script chooses sockets by; no address where there is no choice."""
    usable = [each for each in listeners if not each.is_for_outgoing]
    addresses = tuple(dict.fromkeys(each.address for each in usable))
    outside = [address.version for address in addresses if not address.is_loopback]
    if len(outside) == len(set(outside)):
        return {"addresses": {}, "ports": {}, "names_udp": False}
    return {
        "addresses": _by_source(addresses, interfaces),
        "ports": {each.transport: each.port for each in usable},
        "names_udp": kernel_passes_over,
    }


def _by_source(addresses: Sequence[Address], interfaces: Iterable[Interface]) -> dict[str, str]:
    """Say which listener stands for an address that the kernel sends from.

    Its own, or one in the same network: a host sends from its own address, not from a virtual one.
    """
    by_source = {str(address): in_uri(address) for address in addresses}
    for each in interfaces:
        beside = next((address for address in addresses if address in each.network), None)
        if beside is not None and _has_neighbours(each):
            by_source.setdefault(str(each.ip), in_uri(beside))
    return by_source


def _has_neighbours(interface: Interface) -> bool:
    return interface.network.prefixlen <= LAST_WITH_NEIGHBOURS[interface.version]
