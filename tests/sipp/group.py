"""Nodes of a group that share what they count, on loopback addresses of their own."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearip_proxy.sources import trusted_sources
from inline_proxy.config.scalars import network
from sipp.network import nft
from sipp.place import Place
from sipp.proxy import Proxies, Proxy
from sipp.running import COMMAND, ENVIRONMENT
from sipp.waiting import wait_until

PORT = 5999
THREE = ("127.0.0.21", "127.0.0.22", "127.0.0.23")
TWO_IPV6 = ("fd00::21", "fd00::22")
MANY, FAST = "127.0.0.0/9", "127.0.1.0/24"
"""Networks of the two sources: one with a limit of calls at one time, one of calls per second."""
MOST_CALLS, MOST_CPS = 4, 10
APART = "table ip apart {{ chain in {{ type filter hook input priority 0; {rules}\n }}\n}}\n"


@dataclass(slots=True)
class Group:
    """Some nodes, in the order of their addresses."""

    nodes: tuple[Proxy, ...]
    addresses: tuple[str, ...]

    def settle(self) -> None:
        """Wait until every node hears every other one."""
        wait_until(lambda: all(map(self._hears_all, self.nodes)), "all nodes are heard")

    def _hears_all(self, node: Proxy) -> bool:
        return self.heard_by(node) == len(self.nodes)

    def heard_by(self, node: Proxy) -> int:
        """How many nodes are heard, as one of them sees it; itself is among them."""
        return int(status_of(node)["cluster"]["heard"])

    def place(self, node: Proxy) -> Place:
        """Where the others reach a node."""
        return Place(self.addresses[self.nodes.index(node)], PORT, "udp")

    @contextmanager
    def cut_off(self, node: Proxy) -> Iterator[None]:
        """Let nothing through between a node and the others."""
        own = self.addresses[self.nodes.index(node)]
        rules = f"udp dport {PORT} ip saddr {own} drop; udp dport {PORT} ip daddr {own} drop;"
        nft(APART.format(rules=rules))
        try:
            yield
        finally:
            nft("delete table ip apart\n")


def status_of(node: Proxy) -> dict[str, Any]:
    """What `inline-proxy status --json` says of a node."""
    (runtime,) = node.directory.glob("inline-proxy-*")
    asked = [*COMMAND, "status", "--json", "--runtime-dir", str(runtime)]
    said = subprocess.run(asked, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    status: dict[str, Any] = json.loads(said.stdout)
    return status


def source_id(source: str) -> str:
    """What stands for a source in the nodes' tables."""
    known = trusted_sources([{"network": str(network(source))}])[source.partition("/")[0]]
    assert known is not None
    return known.id


def calls_elsewhere(node: Proxy) -> int:
    """How many calls of a source a node knows to count on the others."""
    return node.count("cluster_shares", f"{source_id(MANY)} calls")


def cps_left(node: Proxy) -> int:
    """How many calls per second of a source a node takes."""
    return node.count("cluster_shares", f"{source_id(FAST)} cps")


def in_progress(node: Proxy) -> int:
    """How many calls a node counts itself."""
    return node.count("calls_of_sources", source_id(MANY))


@contextmanager
def group_of(proxies: Proxies, directory: Path, addresses: tuple[str, ...]) -> Iterator[Group]:
    """Start a node for each address."""
    keys = directory / "keys"
    keys.write_text(secrets.token_hex(32) + "\n")
    with ExitStack() as running:
        nodes = []
        for own in addresses:
            changes = {
                "dialog": {"key_file": str(keys)},
                "clearip": {"response_timeout_ms": 500},
                "trusted": [
                    {"network": MANY, "name": "switch-a", "max_calls": MOST_CALLS},
                    {"network": FAST, "name": "switch-b", "max_cps": MOST_CPS},
                    "::1",
                ],
                "cluster": {
                    "address": own,
                    "port": PORT,
                    "peers": [each for each in addresses if each != own],
                },
            }
            nodes.append(proxies.fresh(changes))
            running.callback(nodes[-1].stop)
        group = Group(tuple(nodes), addresses)
        group.settle()
        yield group
