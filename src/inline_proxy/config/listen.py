"""The part `listen`: where the proxy listens, and under which name."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from inline_proxy.config.key import key
from inline_proxy.config.pem_files import pem_authorities, pem_certificate, pem_private_key
from inline_proxy.config.scalars import (
    Address,
    address_or_interface,
    host,
    number,
    port,
    yes_or_no,
)
from inline_proxy.config.values import ListOf, Value

ALL: Final = "all"


class Addresses(ListOf):
    """The word `all`, or a list of addresses and interface names."""

    def read(self, value: object) -> object:
        """`all`, or a tuple of addresses and names."""
        return ALL if value == ALL else super().read(value)


_ADDRESSES: Final = Addresses(
    Value(
        address_or_interface,
        wrong="is neither an address nor the name of an interface",
        allowed="an IPv4 or IPv6 address without brackets and zone, or an interface name",
    ),
    allowed="all, or a list of at least one IP address or interface name",
    at_least=1,
    same=lambda entry: entry,
)
_HOST: Final = Value(
    host,
    wrong="is neither an address nor a host name",
    allowed="a host name or an IP address without brackets, or null",
    null=True,
)


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the proxy listens for SIP."""

    addresses: str | tuple[Address | str, ...] = field(
        default=ALL,
        metadata=key(
            _ADDRESSES,
            "The addresses that every listener below is opened on. Interfaces are looked up when "
            "the proxy starts, not when the configuration is checked.",
            example="[192.0.2.1, 2001:db8::1, eth0]",
        ),
    )
    floating: bool = field(
        default=False,
        metadata=key(
            yes_or_no(),
            "Whether `addresses` move between hosts, as VRRP moves them: the listeners are opened "
            "whether this host holds the addresses or not.",
            example="true",
        ),
    )
    udp: int | None = field(
        default=5060,
        metadata=key(port(or_null="off"), "The port for SIP over UDP.", example="5080"),
    )
    tcp: int | None = field(
        default=5060,
        metadata=key(port(or_null="off"), "The port for SIP over TCP.", example="5080"),
    )
    tls: int | None = field(
        default=5061,
        metadata=key(port(or_null="off"), "The port for SIP over TLS.", example="5081"),
    )
    advertise: str | None = field(
        default=None,
        metadata=key(
            _HOST,
            "The address or name that others see in Via and Record-Route, for a proxy behind NAT; "
            "null: the address of the listener.",
            example="sip.example.net",
        ),
    )
    advertise_on: str | tuple[Address | str, ...] = field(
        default=ALL,
        metadata=key(
            _ADDRESSES,
            "The listeners' addresses that `advertise` stands for, where only some of the networks "
            "are behind NAT; the others show their own.",
            example="[eth1]",
        ),
    )
    first_message_s: int = field(
        default=20,
        metadata=key(
            number(1, 300, wrong="is not a time"),
            "How long a TCP or TLS connection may take for its handshake and its first whole "
            "message. One that has said nothing by then is closed; bytes that make no message do "
            "not count.",
            unit="seconds",
            example="10",
        ),
    )
    tls_certificate: Path | None = field(
        default=None,
        metadata=key(
            pem_certificate(),
            "The certificate that the TLS listener shows, followed by its chain; null: a "
            "self-signed one made at installation.",
            example="/etc/inline-proxy/tls/certificate.pem",
        ),
    )
    tls_private_key: Path | None = field(
        default=None,
        metadata=key(
            pem_private_key(),
            "The private key of `tls_certificate`; both are given, or neither.",
            example="/etc/inline-proxy/tls/private-key.pem",
        ),
    )
    tls_client_ca_file: Path | None = field(
        default=None,
        metadata=key(
            pem_authorities(),
            "The certificate authorities that must vouch for whoever connects to the TLS listener: "
            "without a certificate of theirs no handshake succeeds. null: callers need no "
            "certificate.",
            example="/etc/inline-proxy/tls/switches-ca.pem",
        ),
    )
