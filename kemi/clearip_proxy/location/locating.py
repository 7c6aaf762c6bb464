"""Locating SIP servers (RFC 3263): from the host of a URI to addresses, in order.

The rules are pure: `Records` answers questions to the DNS, whoever asks it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from clearip_proxy.sip.uri import Uri

Transport = Literal["udp", "tcp", "tls"]

MAX_ADDRESSES = 8
"""Addresses of one target that are tried at most."""


class NaptrRecord(NamedTuple):
    """A NAPTR record with an empty regular expression (RFC 3263 §4.1)."""

    order: int
    preference: int
    service: str
    replacement: str
    """The name of the servers, `_sip._udp.example.com` say; not always below the domain."""
    flags: str = "s"
    """`s`: the replacement has SRV records; `a`: it is a host. In any case."""


class SrvRecord(NamedTuple):
    """An SRV record (RFC 2782)."""

    priority: int
    weight: int
    target: str
    port: int


class Records(Protocol):
    """What the DNS says of a name; nothing when there is no such record.

    Raises `LookUpFailed` when the DNS does not answer.
    """

    def naptr(self, name: str, /) -> list[NaptrRecord]:
        """Return the SIP services of a domain."""

    def srv(self, name: str, /) -> list[SrvRecord]:
        """Return the servers of a service."""

    def addresses(self, name: str, /) -> list[str]:
        """Return the addresses of a host; an address is its own."""


class LookUpFailed(Exception):
    """The DNS gave no answer in time."""


@dataclass(frozen=True, slots=True)
class Address:
    """One place to send a request to."""

    transport: Transport
    host: str
    """An IPv4 or IPv6 address, without brackets."""
    port: int

    @property
    def uri(self) -> str:
        """The URI that names it as a next hop."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sip:{host}:{self.port};transport={self.transport}"


_SERVICES: dict[str, Transport] = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
_SRV_NAMES: dict[Transport, str] = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}
_DEFAULT_PORTS: dict[Transport, int] = {"udp": 5060, "tcp": 5060, "tls": 5061}


class _Service(NamedTuple):
    """A transport that a domain offers, and under which name."""

    transport: Transport
    name: str
    is_host: bool = False
    """Whether the name is a host's, without SRV records."""


def locate(uri: Uri, records: Records) -> tuple[Address, ...]:
    """Return the addresses that a URI leads to, most preferred first.

    Raises `LookUpFailed`. Where RFC 2782 asks for a choice by weight, the heavier server comes
    first: a target set is searched in order, and spreading load is ClearIP's task.
    """
    host = uri.target_host
    if uri.port is not None:
        return _direct(host, direct_transport(uri), uri.port, records)
    found: list[Address] = []
    for service in _services(host, uri, records):
        if len(found) < MAX_ADDRESSES:
            found += _of_service(service, records)
    return tuple(found[:MAX_ADDRESSES]) or _default(host, direct_transport(uri), records)


def direct_transport(uri: Uri) -> Transport:
    """Return the transport to an address, or to a host and port (RFC 3263 §4.1)."""
    if uri.scheme == "sips":
        return "tls"
    match uri.transport:
        case "tcp" | "tls" as transport:
            return transport
        case _:
            return "udp"


def _services(host: str, uri: Uri, records: Records) -> tuple[_Service, ...]:
    """Return what a domain offers of what the URI allows, most preferred first (§4.1).

    A transport that the URI asks for needs no NAPTR. A SIPS URI leads nowhere but over TLS.
    """
    if uri.transport is not None:
        return _usual_services(host, direct_transport(uri))
    allowed: tuple[Transport, ...] = ("tls",) if uri.scheme == "sips" else ("udp", "tcp", "tls")
    offered = _by_naptr(host, records)
    chosen = tuple(service for service in offered if service.transport in allowed)
    return chosen or _usual_services(host, *allowed)


def _usual_services(host: str, *transports: Transport) -> tuple[_Service, ...]:
    return tuple(_Service(transport, _SRV_NAMES[transport] + host) for transport in transports)


def _by_naptr(host: str, records: Records) -> Iterable[_Service]:
    found = sorted(records.naptr(host), key=lambda record: (record.order, record.preference))
    for record in found:
        transport, flags = _SERVICES.get(record.service.upper()), record.flags.lower()
        if transport is not None and flags in {"s", "a"}:
            yield _Service(transport, record.replacement, is_host=flags == "a")


def _of_service(service: _Service, records: Records) -> tuple[Address, ...]:
    """Return the addresses of the servers, by priority (§4.2)."""
    if service.is_host:
        return _default(service.name, service.transport, records)
    servers = sorted(
        records.srv(service.name), key=lambda record: (record.priority, -record.weight)
    )
    found: list[Address] = []
    for server in servers:
        if len(found) < MAX_ADDRESSES:
            found += _direct(server.target, service.transport, server.port, records)
    return tuple(found)


def _default(host: str, transport: Transport, records: Records) -> tuple[Address, ...]:
    return _direct(host, transport, _DEFAULT_PORTS[transport], records)


def _direct(host: str, transport: Transport, port: int, records: Records) -> tuple[Address, ...]:
    hosts = records.addresses(host)[:MAX_ADDRESSES]
    return tuple(Address(transport, address, port) for address in hosts)
