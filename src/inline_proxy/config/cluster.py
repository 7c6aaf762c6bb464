"""The part `cluster`: the other nodes of a group, what they share, and a floating address."""

from dataclasses import dataclass, field
from typing import Final

from inline_proxy.config.key import key
from inline_proxy.config.scalars import Address, address, matching, number, port
from inline_proxy.config.values import ListOf, Value

_ADDRESS: Final = Value(
    address,
    wrong="is not the address of a host",
    allowed="an IPv4 or IPv6 address without brackets and zone",
)
_INTERFACE: Final = Value(
    matching(r"[A-Za-z0-9_.@-]{1,15}"),
    wrong="is not the name of an interface",
    allowed="a name such as eth0",
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The group that the proxy is a node of; off without peers."""

    address: Address | None = field(
        default=None,
        metadata=key(
            Value(
                address,
                wrong="is not the address of a host",
                allowed="an IPv4 or IPv6 address without brackets and zone, or null",
                null=True,
            ),
            "This node's own address, which stays with the host.",
            example="192.0.2.11",
        ),
    )
    peers: tuple[Address, ...] = field(
        default=(),
        metadata=key(
            ListOf(_ADDRESS, allowed="a list of IP addresses", same=lambda entry: entry),
            "The own addresses of the other nodes. Empty: there are none.",
            example="[192.0.2.12]",
        ),
    )
    port: int | None = field(
        default=None,
        metadata=key(
            port(or_null="off"),
            "The UDP port of `cluster.address` at which the nodes tell each other what they count, "
            "the same on all of them. Off, they share nothing.",
            example="5070",
        ),
    )
    interface: str = field(
        default="eth0",
        metadata=key(
            _INTERFACE,
            "The interface that floating addresses come to.",
            example="ens3",
        ),
    )
    virtual_router_id: int = field(
        default=51,
        metadata=key(
            number(1, 255, wrong="is not a virtual router's number"),
            "The number of the pair in VRRP (RFC 5798 §5.2.3): the same on its nodes, and no other "
            "pair's on this network.",
            example="52",
        ),
    )
