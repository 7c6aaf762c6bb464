"""Who may send requests outside a dialog (`trusted`)."""

from dataclasses import dataclass
from hashlib import blake2s
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

REMEMBERED = 4096
"""Addresses whose entry is remembered; the switches of one proxy are far fewer."""


@dataclass(frozen=True, slots=True)
class TrustedSource:
    """One entry: a network, and what is known of those in it."""

    network: IPv4Network | IPv6Network
    name: str | None = None
    partition: str | None = None
    max_cps: int | None = None
    max_calls: int | None = None
    id: str = ""
    """What stands for a source with `max_calls` in messages that others read."""


class TrustedSources:
    """The entries, asked once per request."""

    def __init__(self, *sources: TrustedSource) -> None:
        self._sources = sources
        self._known: dict[str, TrustedSource | None] = {}
        self.count_calls = any(source.max_calls is not None for source in sources)
        """Whether any source has a limit of calls at one time."""

    @property
    def limited(self) -> "tuple[TrustedSource, ...]":
        """The entries whose calls are counted."""
        return tuple(
            source
            for source in self._sources
            if source.max_cps is not None or source.max_calls is not None
        )

    def __getitem__(self, address: str) -> TrustedSource | None:
        """Return the narrowest entry that holds the address; None for a stranger.

        Raises `ValueError` for what is no address.
        """
        if address not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[address] = self._narrowest(_unmapped(ip_address(address)))
        return self._known[address]

    def _narrowest(self, address: IPv4Address | IPv6Address) -> TrustedSource | None:
        holding = [source for source in self._sources if address in source.network]
        return max(holding, key=lambda source: source.network.prefixlen, default=None)


def trusted_sources(entries: list[dict[str, Any]]) -> TrustedSources:
    """Give types to the entries of `proxy.json`."""
    return TrustedSources(
        *(
            TrustedSource(ip_network(entry["network"]), id=_id_of(entry["network"]), **_said(entry))
            for entry in entries
        )
    )


def _said(entry: dict[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in entry.items() if name != "network"}
    return {**said, "name": entry.get("name") or entry["network"]}


def _id_of(network: str) -> str:
    """Make a name for a network that tells nobody its address."""
    return blake2s(network.encode(), digest_size=4).hexdigest()


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 caller on a dual-stack socket appears as ::ffff:a.b.c.d."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
