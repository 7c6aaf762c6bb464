"""The sockets that the proxy listens on, worked out from the configuration and the host."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

import ifaddr

from inline_proxy.config.cluster import Cluster
from inline_proxy.config.listen import ALL, Listen

Address = IPv4Address | IPv6Address
Interfaces = Mapping[str, tuple[Address, ...]]
"""The addresses of a host, by the name of their interface."""
Transport = Literal["udp", "tcp", "tls"]
LOOPBACK: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
OUTGOING_TLS = 20_000
"""How far above the first port the socket lies that Kamailio needs for outgoing TLS."""
HIGHEST_PORT = 65_535
TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp", "tls")


class NoSuchListener(LookupError):
    """`listen.addresses` leads to no address of the host; the text says why, and what would."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One socket."""

    transport: Transport
    address: Address
    port: int
    advertised: str | None = None
    """What others see in its stead in Via and Record-Route; None: the address."""
    is_for_outgoing: bool = False
    """Whether it is there for connections that the proxy opens, and for nobody to connect to."""
    is_floating: bool = False
    """Whether its address may be on another host at the moment."""
    is_for_cluster: bool = False
    """Whether it is there for the other nodes of a group alone."""

    @property
    def host_port(self) -> str:
        """The address as a URI holds it."""
        return f"{in_uri(self.address)}:{self.port}"

    @property
    def socket(self) -> str:
        """The socket in Kamailio's notation."""
        return f"{self.transport}:{self.host_port}"


def in_uri(address: Address | str) -> str:
    """Write an address as the host of a URI: IPv6 in brackets (RFC 3261 §25.1)."""
    return f"[{address}]" if ":" in str(address) else str(address)


def has_a_choice_of_addresses(listeners: Iterable[Listener]) -> bool:
    """Tell whether there is more than one address to send from, in any family."""
    addresses = {listener.address for listener in listeners if not listener.is_for_outgoing}
    return len({address.version for address in addresses}) < len(addresses)


def is_held(address: Address) -> bool:
    """Tell whether an address is this host's at the moment."""
    return any(address in addresses for addresses in interface_addresses().values())


def interface_addresses() -> Interfaces:
    """Return the host's addresses by interface name; without link-local IPv6 ones.

    Those need a scope that neither Via nor a Request-URI can carry.
    """
    return {
        adapter.name: tuple(
            address
            for ip in adapter.ips
            if not (address := _address(ip.ip)).is_link_local or address.version == 4  # noqa: PLR2004
        )
        for adapter in ifaddr.get_adapters()
    }


def _address(ip: str | tuple[str, int, int]) -> Address:
    return ip_address(ip if isinstance(ip, str) else ip[0])


def listeners(listen: Listen, interfaces: Interfaces) -> tuple[Listener, ...]:
    """Return every socket to open, by transport and then by address.

    Raises `NoSuchListener`.
    """
    addresses = tuple(dict.fromkeys(_chosen_addresses(listen, interfaces)))
    if not addresses:
        raise NoSuchListener("listen.addresses: this host has no address; bring an interface up")
    ports = {"udp": listen.udp, "tcp": listen.tcp, "tls": listen.tls}
    opened = (
        Listener(
            transport,
            address,
            port,
            _advertised(listen, interfaces, address),
            is_floating=listen.floating,
        )
        for transport in TRANSPORTS
        if (port := ports[transport]) is not None
        for address in addresses
    )
    outgoing = _for_outgoing_tls(listen, interfaces, addresses) if listen.tls is None else ()
    return (*opened, *outgoing)


def cluster_listeners(cluster: Cluster) -> tuple[Listener, ...]:
    """Return the socket at which the other nodes of a group are heard, where there is one."""
    if cluster.address is None or cluster.port is None or not cluster.peers:
        return ()
    return (Listener("udp", cluster.address, cluster.port, is_for_cluster=True),)


def _for_outgoing_tls(
    listen: Listen, interfaces: Interfaces, addresses: tuple[Address, ...]
) -> Iterable[Listener]:
    """Open TLS on loopback where it is off: without such a socket Kamailio cannot ask ClearIP.

    What it shows in Via is never connected to: responses come back on the connection that the
    request went out on.
    """
    port = next(port for port in (listen.udp, listen.tcp) if port is not None)
    port += OUTGOING_TLS if port + OUTGOING_TLS <= HIGHEST_PORT else -OUTGOING_TLS
    for loopback in LOOPBACK:
        family = [each for each in addresses if each.version == loopback.version]
        outside = (each for each in family if not each.is_loopback)
        if family:
            shown = (_advertised(listen, interfaces, each) or in_uri(each) for each in outside)
            yield Listener("tls", loopback, port, next(shown, None), is_for_outgoing=True)


def _chosen_addresses(listen: Listen, interfaces: Interfaces) -> Iterable[Address]:
    if isinstance(listen.addresses, str):  # all
        for addresses in interfaces.values():
            yield from addresses
        return
    for choice in listen.addresses:
        if isinstance(choice, IPv4Address | IPv6Address):
            yield choice
        elif interfaces.get(choice):
            yield from interfaces[choice]
        else:
            message = f"listen.addresses: no interface {choice} with an address"
            raise NoSuchListener(f"{message}; allowed: {_known(interfaces)}")


def _known(interfaces: Interfaces) -> str:
    usable = [name for name, addresses in interfaces.items() if addresses]
    return ", ".join((ALL, *sorted(usable), "or an IP address of this host"))


def _advertised(listen: Listen, interfaces: Interfaces, address: Address) -> str | None:
    """Advertise a name on every socket that leaves the host, an address on those of its family.

    Where only some networks are behind NAT, on the addresses in those.
    """
    advertise, chosen = listen.advertise, listen.advertise_on
    if advertise is None or address.is_loopback:
        return None
    if chosen != ALL and not any(
        address == choice or address in interfaces.get(str(choice), ()) for choice in chosen
    ):
        return None
    try:
        family = ip_address(advertise.strip("[]")).version
    except ValueError:
        return advertise
    return in_uri(advertise.strip("[]")) if family == address.version else None
