"""What Kamailio says of itself: memory, connections, transactions, workers, ClearIP's sites."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.observation.cluster_nodes import NODES, ClusterNode, cluster_nodes

SITE_STATUS, SITE_COUNTS, SITES, COUNTERS = "site_status", "site_counts", "sites", "counters"
"""Shared tables of the routing script (`sites/site_status.py`, `ksr/memory.py`)."""
NODE, DRAINING = "node", "draining"
"""Another one, and its key (`ksr/memory.py`)."""
MAIN_PROCESS: Final = "main process - attendant"


@dataclass(frozen=True, slots=True)
class Site:
    """A ClearIP site as the routing script sees it."""

    uri: str
    state: str
    reason: str = ""
    since: int | None = None
    """When the state was entered, in seconds since 1970."""

    @property
    def is_up(self) -> bool:
        """Whether calls may be sent to it."""
        return self.state == "up"


@dataclass(frozen=True, slots=True)
class KamailioFigures:
    """One look at a running Kamailio."""

    version: str
    uptime_s: int
    shared_memory: Mapping[str, int]
    """`total`, `used`, `real_used`, `max_used`, `free`, in bytes, and `fragments`."""
    package_memory: tuple[tuple[str, int, int], ...]
    """(process, bytes used, bytes there are) of every process."""
    connections: Mapping[str, int]
    """`opened_connections` and `opened_tls_connections`, and their `max_...`."""
    transactions: int
    sites: tuple[Site, ...]
    site_counts: Mapping[str, int]
    """By `<URI> <what>`."""
    counters: Mapping[str, int]
    is_draining: bool = False
    """Whether calls are to go elsewhere."""
    nodes: tuple[ClusterNode, ...] = ()
    """The group, where its nodes tell each other what they count; this one first."""

    @property
    def workers(self) -> int:
        """Processes besides the first."""
        return len(self.package_memory) - 1


def look(rpc: KamailioRpc) -> KamailioFigures:
    """Ask a running Kamailio; raises `KamailioUnreachable`."""
    packages = rpc.call("pkg.stats")
    return KamailioFigures(
        version=_version(rpc.call("core.version")),
        uptime_s=rpc.call("core.uptime")["uptime"],
        shared_memory=rpc.call("core.shmmem"),
        package_memory=tuple(
            (f"{each['entry']} {each['desc']}", each["used"], each["total_size"])
            for each in packages
        ),
        connections=rpc.call("core.tcp_info"),
        transactions=rpc.call("tm.stats")["current"],
        sites=_sites(rpc),
        site_counts=_integers(table(rpc, SITE_COUNTS)),
        counters=_integers(table(rpc, COUNTERS)),
        is_draining=is_draining(rpc),
        nodes=_nodes(rpc),
    )


def table(rpc: KamailioRpc, name: str) -> dict[str, str | int]:
    """Return a shared table; an empty one where Kamailio has none of that name."""
    try:
        slots: list[Mapping[str, Any]] = rpc.call("htable.dump", name) or []
    except RpcRefused:
        return {}
    return {item["name"]: item["value"] for slot in slots for item in slot["slot"]}


def is_draining(rpc: KamailioRpc) -> bool:
    """Ask whether calls are to go elsewhere; raises `KamailioUnreachable`."""
    return bool(table(rpc, NODE).get(DRAINING))


def _nodes(rpc: KamailioRpc) -> tuple[ClusterNode, ...]:
    """Return the group; of one so large that it fills no datagram, nothing."""
    try:
        return cluster_nodes(table(rpc, NODES))
    except KamailioUnreachable:
        return ()


def _sites(rpc: KamailioRpc) -> tuple[Site, ...]:
    return tuple(_site(uri, str(text)) for uri, text in sorted(table(rpc, SITE_STATUS).items()))


def _site(uri: str, text: str) -> Site:
    try:
        status = json.loads(text)
        return Site(uri, status["state"], status.get("reason", ""), status.get("since"))
    except (ValueError, KeyError, TypeError):
        return Site(uri, "unknown")


def _integers(values: Mapping[str, str | int]) -> dict[str, int]:
    return {name: value for name, value in values.items() if isinstance(value, int)}


def _version(text: str) -> str:
    """Return `5.6.3` of `kamailio 5.6.3 (x86_64/linux) `."""
    words = text.split()
    return words[1] if len(words) > 1 else text
