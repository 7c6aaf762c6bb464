"""The nodes of a group, as this node's Kamailio has heard them (kemi: `cluster/news.py`)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from inline_proxy.kamailio_rpc import KamailioRpc
from inline_proxy.observation.tally import Tally

NODES: Final = "cluster_nodes"
"""Shared table: what each node told last, by its address."""
OWN: Final = "own"
"""Its key under which this node's own address stands."""
OBSERVED: Final = "observed"
"""Shared table, and its key: what this node's observer has counted, for the others."""
SETTING_UP, CONVERSATIONS, CALLS = "setting_up", "conversations", "calls "


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """One node; of one that is not heard only the address is known."""

    address: str
    is_own: bool = False
    is_heard: bool = False
    release: str = ""
    is_draining: bool = False
    cps: int = 0
    """Calls taken in the last second."""
    begun: int = 0
    """Calls taken since its start."""
    sites: Mapping[str, str] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    observed: Mapping[str, int] = field(default_factory=dict)

    @property
    def sites_up(self) -> int:
        """How many addresses of ClearIP sites it may ask."""
        return sum(state == "up" for state in self.sites.values())


def cluster_nodes(entries: Mapping[str, str | int]) -> tuple[ClusterNode, ...]:
    """Read the table: this node first, then the others by their addresses."""
    own = entries.get(OWN)
    nodes = [
        _node(address, str(text), is_own=address == own)
        for address, text in entries.items()
        if address != OWN
    ]
    return tuple(sorted(nodes, key=lambda node: (not node.is_own, node.address)))


def _node(address: str, text: str, *, is_own: bool) -> ClusterNode:
    try:
        told = json.loads(text.partition(" ")[2])
        return ClusterNode(
            address,
            is_own,
            is_heard=True,
            release=told["release"],
            is_draining=told["is_draining"],
            cps=told["cps"],
            begun=told["begun"],
            sites=told["sites"],
            counters=told["counters"],
            observed=told["observed"],
        )
    except (ValueError, KeyError, TypeError):
        return ClusterNode(address, is_own)


def status_of_cluster(nodes: tuple[ClusterNode, ...]) -> dict[str, Any] | None:
    """Return the group in one view; None for a node that shares nothing."""
    if not nodes:
        return None
    heard = [node for node in nodes if node.is_heard]
    return {
        "nodes": [
            {
                "address": node.address,
                "own": node.is_own,
                "heard": node.is_heard,
                "release": node.release or None,
                "draining": node.is_draining,
                "calls_per_second": node.cps,
                "calls_begun": node.begun,
                "clearip_sites_up": node.sites_up,
                "clearip_sites": dict(node.sites),
                "calls_in_progress": _in_progress([node]),
                "calls": _calls([node]),
                "counters": dict(node.counters),
            }
            for node in nodes
        ],
        "heard": len(heard),
        "calls_per_second": sum(node.cps for node in heard),
        "calls_begun": sum(node.begun for node in heard),
        "calls_in_progress": _in_progress(heard),
        "calls": _calls(heard),
        "counters": _sum(node.counters for node in heard),
    }


def _in_progress(nodes: list[ClusterNode]) -> dict[str, int]:
    added = _sum(node.observed for node in nodes)
    return {name: added.get(name, 0) for name in (SETTING_UP, CONVERSATIONS)}


def _calls(nodes: list[ClusterNode]) -> dict[str, int]:
    added = _sum(node.observed for node in nodes)
    return {
        name.removeprefix(CALLS): number for name, number in added.items() if name.startswith(CALLS)
    }


def _sum(each: Iterable[Mapping[str, int]]) -> dict[str, int]:
    added: dict[str, int] = {}
    for numbers in each:
        for name, number in numbers.items():
            added[name] = added.get(name, 0) + number
    return added


def tell_cluster(rpc: KamailioRpc, setting_up: int, conversations: int, tally: Tally) -> None:
    """Let Kamailio tell the other nodes what has been counted; raises `KamailioUnreachable`."""
    counted = {SETTING_UP: setting_up, CONVERSATIONS: conversations}
    for disposition, number in tally.dispositions().items():
        counted[f"{CALLS}{disposition}"] = number
    rpc.call("htable.sets", OBSERVED, OBSERVED, json.dumps(counted))
