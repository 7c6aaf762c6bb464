"""The part `tracing`: where copies of messages go while somebody looks at calls."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final

from inline_proxy.config.admin import Socket, socket
from inline_proxy.config.key import key
from inline_proxy.config.values import Value

RECEIVER: Final = Socket(IPv4Address("127.0.0.1"), 9069)


@dataclass(frozen=True, slots=True)
class Tracing:
    """Whether calls can be traced, and where Kamailio's copies arrive."""

    receiver: Socket | None = field(
        default=RECEIVER,
        metadata=key(
            Value(
                socket,
                wrong="is not an address with a port",
                allowed="ADDRESS:PORT, an IPv6 address in brackets, or null for off",
                null=True,
            ),
            "The address and UDP port of this host at which `inline-proxy trace` gets Kamailio's "
            "copies of messages. They are plain text and leave from a UDP listener of the same "
            "family, so keep it on loopback. It is open, and anything sent to it, while a trace "
            "runs and at no other time.",
            example="127.0.0.1:9070",
        ),
    )
