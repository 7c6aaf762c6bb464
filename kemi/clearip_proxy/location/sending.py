"""Which of the proxy's own addresses leads to a destination, where it has several.

Kamailio asks the kernel so for UDP alone: over TCP and TLS it would name its first address in Via
and Record-Route, whatever network the other end is on.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ANY_PORT: Final = 5060


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """The sockets that requests may leave from; none where there is no choice."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    """By the address that the kernel would send from: the host, as in a URI, of the listener."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """By transport."""
    names_udp: bool = False
    """Whether Kamailio may not ask the kernel itself for UDP."""

    def socket_towards(self, transport: str, host: str) -> str:
        """Return the socket in Kamailio's notation; "" where Kamailio finds it by itself."""
        port = self.ports.get(transport)
        if port is None or (transport == "udp" and not self.names_udp):
            return ""
        listener = self.addresses.get(address_towards(host))
        return f"{transport}:{listener}:{port}" if listener else ""


def address_towards(host: str) -> str:
    """Return the address that the kernel sends from to an address; "" when nothing leads there."""
    address = host.strip("[]")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unsent:
            unsent.connect((address, ANY_PORT))  # of UDP: no packet leaves
            return str(unsent.getsockname()[0])
    except OSError:  # a name, too
        return ""
