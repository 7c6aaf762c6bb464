"""The part of the configuration that calls are decided by, read once when Kamailio starts.

The operator's command validates the configuration and writes `proxy.json`; this module trusts
that file and only gives it types.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Literal

from clearip_proxy.identity import IdentityMode

RouteChoice = Literal["relay", "default_route"]


@dataclass(frozen=True, slots=True)
class TrustedSource:
    """Who may send requests outside a dialog."""

    network: IPv4Network | IPv6Network
    name: str | None = None
    partition: str | None = None


@dataclass(frozen=True, slots=True)
class ClearIpPolicy:
    """How ClearIP is asked, and what stands in for its answer."""

    domain: str
    server_name: str
    response_timeout_ms: int
    partition: str | None = None
    on_no_route: RouteChoice = "relay"
    on_unavailable: RouteChoice = "relay"
    sites: tuple[str, ...] = ()
    """SIP URIs of the sites, in order of preference."""


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """How a target set is searched."""

    no_response_timeout_ms: int
    answer_timeout_ms: int
    search_timeout_ms: int
    advance_on: frozenset[int]


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """Everything a routing decision depends on, apart from the call itself."""

    clearip: ClearIpPolicy
    search: SearchPolicy
    trusted: tuple[TrustedSource, ...]
    default_route: tuple[str, ...] = ()
    emergency_numbers: frozenset[str] = frozenset()
    emergency_route: tuple[str, ...] = ()
    copied_headers: tuple[str, ...] = ()
    identity_mode: IdentityMode = "replace"
    own: frozenset[str] = frozenset()
    """`host:port` of every listener, as the host stands in a canonical URI."""

    def source_of(self, address: str) -> TrustedSource | None:
        """Return the narrowest trusted entry that the source address is in, if any."""
        return _narrowest(self.trusted, address)


@lru_cache(maxsize=4096)
def _narrowest(trusted: tuple[TrustedSource, ...], address: str) -> TrustedSource | None:
    parsed = _unmapped(ip_address(address))
    holding = [source for source in trusted if parsed in source.network]
    return max(holding, key=lambda source: source.network.prefixlen, default=None)


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 caller on a dual-stack socket appears as ::ffff:a.b.c.d."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def load_policy(path: Path) -> RoutingPolicy:
    """Read `proxy.json`, as the operator's command has written it."""
    return policy_from(json.loads(path.read_text(encoding="utf-8")))


def policy_from(values: dict[str, Any]) -> RoutingPolicy:
    """Give types to the parsed `proxy.json`."""
    clearip = {**values["clearip"], "sites": tuple(values["clearip"]["sites"])}
    search = {**values["targets"], "advance_on": frozenset(values["targets"]["advance_on"])}
    return RoutingPolicy(
        clearip=ClearIpPolicy(**clearip),
        search=SearchPolicy(**search),
        trusted=tuple(_trusted_source(entry) for entry in values["trusted"]),
        default_route=tuple(values["default_route"]),
        emergency_numbers=frozenset(values["emergency"]["numbers"]),
        emergency_route=tuple(values["emergency"]["route"]),
        copied_headers=tuple(values["headers"]["copy"]),
        identity_mode=values["headers"]["identity"],
        own=frozenset(values["own"]),
    )


def _trusted_source(entry: dict[str, Any]) -> TrustedSource:
    return TrustedSource(ip_network(entry["network"]), entry["name"], entry["partition"])
