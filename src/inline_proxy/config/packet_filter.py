"""The part `packet_filter`: who reaches the proxy's ports, besides who is known already."""

from dataclasses import dataclass, field
from typing import Final

from inline_proxy.config.key import key
from inline_proxy.config.scalars import Network, network, number
from inline_proxy.config.values import ListOf, Value

_NETWORKS: Final = ListOf(
    Value(
        network,
        wrong="is not a network",
        allowed="a network such as 10.0.0.0/8 or 2001:db8::/32, or one address",
    ),
    allowed="a list of networks",
    same=lambda entry: entry,
)


@dataclass(frozen=True, slots=True)
class PacketFilter:
    """What the packet filter lets in, and how much of it."""

    carriers: tuple[Network, ...] = field(
        default=(),
        metadata=key(
            _NETWORKS,
            "Networks that carriers send from within a call. Every address that the proxy has "
            "sent to is let in for a day without this; give the network of a carrier that answers "
            "from other addresses than those it is called at. It makes nobody a trusted source.",
            example="[203.0.113.0/24]",
        ),
    )
    admin_networks: tuple[Network, ...] = field(
        default=(),
        metadata=key(
            _NETWORKS,
            "Networks that reach `admin.listen`; without any, this host alone does.",
            example="[198.51.100.0/28]",
        ),
    )
    max_connection_rate: int = field(
        default=100,
        metadata=key(
            number(1, 10_000, wrong="is not a limit"),
            "How many TCP and TLS connections one address may open per second; twice as many at "
            "once.",
            unit="connections per second",
            example="20",
        ),
    )
    max_datagram_rate: int = field(
        default=5_000,
        metadata=key(
            number(1, 1_000_000, wrong="is not a limit"),
            "How many UDP packets one address may send per second; as many at once. What is "
            "above it is dropped before it can fill the queue that all switches share. A call "
            "takes three to eight packets of a switch.",
            unit="packets per second",
            example="1000",
        ),
    )
    max_stream_rate: int = field(
        default=4_000,
        metadata=key(
            number(1, 1_000_000, wrong="is not a limit"),
            "How many kilobytes one address may send per second over all its TCP and TLS "
            "connections; as many at once. What is above it is dropped, and the sender slows "
            "down. A call takes three to five kilobytes of a switch.",
            unit="kilobytes per second",
            example="1000",
        ),
    )
    max_connections: int = field(
        default=1_000,
        metadata=key(
            number(1, 20_000, wrong="is not a limit"),
            "How many TCP and TLS connections one address may have at one time.",
            unit="connections",
            example="200",
        ),
    )
