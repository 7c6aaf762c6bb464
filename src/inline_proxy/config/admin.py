"""The part `admin`: metrics, status page and JSON."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

from inline_proxy.config.faults import Refused
from inline_proxy.config.key import key
from inline_proxy.config.pem_files import (
    absolute_path,
    content,
    pem_certificate,
    pem_private_key,
)
from inline_proxy.config.scalars import Address, text, whole_number
from inline_proxy.config.values import Value
from inline_proxy.passwords import users_in

_SOCKET: Final = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[^:]+)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Socket:
    """An address and a TCP port to listen on; the unspecified address means every one."""

    address: Address
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)  # noqa: PLR2004
        return f"{host}:{self.port}"


def socket(value: object) -> Socket:
    """An address and a port, an IPv6 address in brackets."""
    parts = _SOCKET.fullmatch(text(value))
    if parts is None:
        raise Refused
    try:
        address = IPv6Address(parts["v6"]) if parts["v6"] else IPv4Address(parts["v4"])
    except ValueError:
        raise Refused from None
    return Socket(address, whole_number(1, 65535)(int(parts["port"])))


def password_file(value: object) -> Path:
    """A readable file of users and hashes of their passwords."""
    path = absolute_path(value)
    try:
        users = users_in(content(path).decode())
    except ValueError as error:
        if isinstance(error, Refused):
            raise
        raise Refused("names a file with another line than NAME:HASH") from None
    if not users:
        raise Refused("names a file without a user")
    return path


@dataclass(frozen=True, slots=True)
class Admin:
    """Where metrics, status page and JSON are served."""

    listen: Socket | None = field(
        default=Socket(IPv4Address("127.0.0.1"), 8080),
        metadata=key(
            Value(
                socket,
                wrong="is not an address with a port",
                allowed="ADDRESS:PORT, an IPv6 address in brackets, or null for off",
                null=True,
            ),
            "The address and TCP port of the status page, `/metrics`, `/status.json` and "
            "`/healthz`. On an address that other hosts reach it speaks HTTPS and asks for a "
            "password.",
            example="127.0.0.1:9090",
        ),
    )
    password_file: Path | None = field(
        default=None,
        metadata=key(
            Value(
                password_file,
                wrong="is not a file with users",
                allowed="the absolute path of a file that `inline-proxy admin-password NAME FILE` "
                "has made, or null",
                null=True,
            ),
            "Who may ask, where `admin.listen` is no loopback address. Browsers and Prometheus "
            "send name and password by HTTP Basic, over TLS.",
            example="/etc/inline-proxy/admin-users",
        ),
    )
    tls_certificate: Path | None = field(
        default=None,
        metadata=key(
            pem_certificate(),
            "The certificate that `admin.listen` shows, followed by its chain; null: that of "
            "`listen.tls`.",
            example="/etc/inline-proxy/tls/admin.pem",
        ),
    )
    tls_private_key: Path | None = field(
        default=None,
        metadata=key(
            pem_private_key(),
            "The private key of `tls_certificate`; both are given, or neither.",
            example="/etc/inline-proxy/tls/admin-key.pem",
        ),
    )

    @property
    def is_local(self) -> bool:
        """Whether nobody but this host reaches it."""
        return self.listen is None or self.listen.address.is_loopback
