"""Locating SIP servers (RFC 3263): from the host of a URI to addresses, in order.

The rules are pure: `Records` answers questions to the DNS, whoever asks it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from clearip_proxy.uri import Uri

Transport = Literal["udp", "tcp", "tls"]

MAX_ADDRESSES = 8
"""Addresses of one target that are tried at most."""


class NaptrRecord(NamedTuple):
    """A NAPTR record with an empty regular expression (RFC 3263 §4.1)."""

    order: int
    preference: int
    service: str
    replacement: str


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


def locate(uri: Uri, records: Records) -> tuple[Address, ...]:
    """Return the addresses that a URI leads to, most preferred first.

    Raises `LookUpFailed`. Where RFC 2782 asks for a choice by weight, the heavier server comes
    first: a target set is searched in order, and spreading load is ClearIP's task.
    """
    host = uri.canonical_host
    transport = _asked_transport(uri)
    if uri.port is not None:
        return _direct(host, transport or "udp", uri.port, records)
    if transport is not None:
        return _by_srv(host, (transport,), records) or _default(host, transport, records)
    transports = _by_naptr(host, records) or ("udp", "tcp", "tls")
    return _by_srv(host, transports, records) or _default(host, "udp", records)


def _asked_transport(uri: Uri) -> Transport | None:
    if uri.scheme == "sips":
        return "tls"
    match uri.transport:
        case "udp" | "tcp" | "tls" as transport:
            return transport
        case _:
            return None


def _by_naptr(host: str, records: Records) -> tuple[Transport, ...]:
    """Return the transports that the domain prefers (RFC 3263 §4.1)."""
    found = sorted(records.naptr(host), key=lambda record: (record.order, record.preference))
    services = (record.service.upper() for record in found)
    return tuple(dict.fromkeys(_SERVICES[service] for service in services if service in _SERVICES))


def _by_srv(host: str, transports: Iterable[Transport], records: Records) -> tuple[Address, ...]:
    """Return the addresses of the servers, by transport and then by priority (§4.2)."""
    found: list[Address] = []
    for transport in transports:
        servers = sorted(
            records.srv(_SRV_NAMES[transport] + host),
            key=lambda record: (record.priority, -record.weight),
        )
        for server in servers:
            if len(found) >= MAX_ADDRESSES:
                break
            found += _direct(server.target, transport, server.port, records)
    return tuple(found[:MAX_ADDRESSES])


def _default(host: str, transport: Transport, records: Records) -> tuple[Address, ...]:
    return _direct(host, transport, _DEFAULT_PORTS[transport], records)


def _direct(host: str, transport: Transport, port: int, records: Records) -> tuple[Address, ...]:
    hosts = records.addresses(host)[:MAX_ADDRESSES]
    return tuple(Address(transport, address, port) for address in hosts)
