"""What the packet filter is rendered from: networks, sockets and limits, sorted by family."""

import os
import pwd
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import collapse_addresses, ip_network
from typing import Any, Final

from inline_proxy import __version__, paths
from inline_proxy.config.cluster import Cluster
from inline_proxy.config.model import ProxyConfig
from inline_proxy.config.scalars import Network
from inline_proxy.config.sip_uri import host_of
from inline_proxy.listeners import Listener, cluster_listeners
from inline_proxy.template_environment import template_environment

PACKET_FILTER_FILE: Final = "packet-filter.nft"
TABLE: Final = "inline_proxy"
SERVICE_USER: Final = "inline-proxy"
LEARNED_FOR: Final = "1d"
"""How long an address that the proxy has sent to may send, in nft's notation."""


@dataclass(frozen=True, slots=True)
class Family:
    """What the packet filter calls a family of addresses, and what it holds of them."""

    name: str
    header: str
    version: int
    sockets: tuple[str, ...]
    trusted: tuple[str, ...]
    carriers: tuple[str, ...]
    admin: tuple[str, ...]


def service_user_id() -> int:
    """Return the number of the user that the installed service runs as; else of this process."""
    try:
        return pwd.getpwnam(SERVICE_USER).pw_uid
    except KeyError:
        return os.geteuid()


def packet_filter(config: ProxyConfig, listeners: Sequence[Listener], user_id: int) -> str:
    """Return the rules as `nft -f` reads them; `user_id` is whom the proxy runs as."""
    template = template_environment(paths.TEMPLATES).get_template(f"{PACKET_FILTER_FILE}.j2")
    return template.render(packet_filter_values(config, listeners, user_id))


def packet_filter_values(
    config: ProxyConfig, listeners: Sequence[Listener], user_id: int
) -> dict[str, Any]:
    """Return every value that the template prints."""
    limits = config.packet_filter
    return {
        "version": __version__,
        "table": TABLE,
        "families": [_family(config, listeners, *names) for names in _FAMILIES],
        "user_id": user_id,
        "learned_for": LEARNED_FOR,
        "max_connection_rate": limits.max_connection_rate,
        "max_datagram_rate": limits.max_datagram_rate,
        "max_stream_rate": limits.max_stream_rate,
        "max_connections": limits.max_connections,
        "admin": _admin_match(config),
        "cluster": _cluster(config.cluster),
    }


_FAMILIES: Final = (("ipv4", "ip", 4), ("ipv6", "ip6", 6))


def _family(
    config: ProxyConfig, listeners: Iterable[Listener], name: str, header: str, version: int
) -> Family:
    carriers = (*config.packet_filter.carriers, *_configured_targets(config))
    return Family(
        name,
        header,
        version,
        tuple(
            f"{each.address} . {'udp' if each.transport == 'udp' else 'tcp'} . {each.port}"
            for each in listeners
            if each.address.version == version and not each.is_for_outgoing
        ),
        _collapsed((source.network for source in config.trusted), version),
        _collapsed(carriers, version),
        _collapsed(config.packet_filter.admin_networks, version),
    )


def _collapsed(networks: Iterable[Network], version: int) -> tuple[str, ...]:
    """Merge what overlaps: an interval of nftables stands once."""
    return tuple(map(str, collapse_addresses(n for n in networks if n.version == version)))  # type: ignore[type-var]


def _configured_targets(config: ProxyConfig) -> Iterator[Network]:
    """Yield the addresses among the configured targets; names are learned when they are called."""
    uris = (*config.default_route, *config.emergency.route, *config.targets.aliases.values())
    for uri in uris:
        try:
            yield ip_network(host_of(uri))
        except ValueError:
            continue


def _cluster(cluster: Cluster) -> dict[str, Any] | None:
    """Return where the other nodes of a group are let in; None where nothing is shared."""
    for listener in cluster_listeners(cluster):
        return {
            "header": "ip" if listener.address.version == 4 else "ip6",  # noqa: PLR2004
            "address": listener.address,
            "port": listener.port,
            "peers": cluster.peers,
        }
    return None


def _admin_match(config: ProxyConfig) -> str | None:
    """Return what tells packets to the HTTP server, as nftables matches them."""
    socket = config.admin.listen
    if socket is None:
        return None
    port = f"tcp dport {socket.port}"
    if socket.address.is_unspecified:
        return port
    return f"{'ip' if socket.address.version == 4 else 'ip6'} daddr {socket.address} {port}"  # noqa: PLR2004
