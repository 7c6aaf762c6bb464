"""The list `trusted`: who may send calls."""

from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Final

from inline_proxy.config.clearip import partition
from inline_proxy.config.key import key
from inline_proxy.config.scalars import Network, matching, network, number
from inline_proxy.config.values import Entry, ListOf, Value

_NETWORK_ALLOWED: Final = "a network such as 10.0.0.0/8 or 2001:db8::/32, or one address"


@dataclass(frozen=True, slots=True)
class TrustedSource:
    """A network whose hosts may send calls, and what is particular to them."""

    network: Network = field(
        metadata=key(
            Value(network, wrong="is not a network", allowed=_NETWORK_ALLOWED),
            "The addresses that requests come from; one address alone means that host.",
            example="192.0.2.10/32",
        )
    )
    name: str | None = field(
        default=None,
        metadata=key(
            Value(
                matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"),
                wrong="is not a short name",
                allowed="at most 64 letters, digits, dots, hyphens and underscores, or null",
                null=True,
            ),
            "What logs and counters call the source; null: its network.",
            example="switch-a",
        ),
    )
    partition: str | None = field(
        default=None,
        metadata=key(
            partition(),
            "The partition for calls from this source; null: `clearip.partition`.",
            example="inbound",
        ),
    )
    max_cps: int | None = field(
        default=None,
        metadata=key(
            number(1, 10_000, wrong="is not a limit", or_null="no limit"),
            "How many calls the source may begin in a second; those above it are answered with a "
            "503. Emergency calls are not counted.",
            unit="calls per second",
            example="50",
        ),
    )
    max_calls: int | None = field(
        default=None,
        metadata=key(
            number(1, 1_000_000, wrong="is not a limit", or_null="no limit"),
            "How many calls the source may have at one time, ringing ones included; those above "
            "it are answered with a 503. Emergency calls are not counted, and a call of which "
            "nothing is heard for four hours no longer. The count begins anew with the proxy.",
            unit="calls",
            example="500",
        ),
    )


# Loopback; RFC 1918; shared address space (RFC 6598); unique local (RFC 4193) and link-local
# (RFC 4291 §2.5.6) IPv6: addresses that reach the proxy from a network of the operator's own.
PRIVATE_NETWORKS: Final = tuple(
    TrustedSource(ip_network(text))
    for text in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
        "fe80::/10",
    )
)

TRUSTED: Final = ListOf(
    Entry(
        TrustedSource,
        short="network",
        allowed=f"{_NETWORK_ALLOWED}, alone or as `network` of a mapping",
    ),
    allowed="a list of at least one network or mapping",
    at_least=1,
    same=lambda source: source.network,
)
