"""The part `admin`: metrics, status page and JSON."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from inline_proxy.config.faults import Refused
from inline_proxy.config.key import key
from inline_proxy.config.scalars import Address, text, whole_number
from inline_proxy.config.values import Value

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
            "The address and TCP port of the HTTP server for `/metrics`, `/status.json` and "
            "`/healthz`.",
            example="127.0.0.1:9090",
        ),
    )
