"""What keepalived is told, so that of several nodes one that works has the floating address."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from inline_proxy import __version__, paths
from inline_proxy.config.listen import Listen
from inline_proxy.config.model import ProxyConfig
from inline_proxy.listeners import Address, Listener, listeners
from inline_proxy.template_environment import template_environment

NODE_CHECK = paths.ROOT / "src/inline_proxy/node_check.py"
TEMPLATE = "keepalived.conf.j2"
PLAIN = ("udp", "tcp")
"""The transports that a node is asked over; without either, by its RPC alone."""


class NotAPair(ValueError):
    """The configuration names no floating address; the text says what is missing."""


class NodeFiles(NamedTuple):
    """What keepalived runs, and where it finds the running proxy."""

    check: Path = NODE_CHECK
    runtime: Path = Path("/run/inline-proxy")
    user: str = "inline-proxy"


INSTALLED = NodeFiles()


def keepalived_conf(config: ProxyConfig, files: NodeFiles = INSTALLED) -> str:
    """Return keepalived.conf of this node; raises `NotAPair`."""
    _refuse_without_a_pair(config)
    template = template_environment(paths.TEMPLATES).get_template(TEMPLATE)
    return template.render(_values(config, files))


def _refuse_without_a_pair(config: ProxyConfig) -> None:
    if not config.listen.floating:
        raise NotAPair("listen.floating: is false; give true, and the floating addresses")
    if config.cluster.address is None:
        raise NotAPair("cluster.address: is missing; give this node's own address")
    if not config.cluster.peers:
        raise NotAPair("cluster.peers: is empty; give the other node's own address")


def _values(config: ProxyConfig, files: NodeFiles) -> dict[str, Any]:
    cluster, floating = config.cluster, _addresses(config.listen)
    first = [each for each in floating if each.version == floating[0].version]
    return {
        "version": __version__,
        "user": files.user,
        "check": f"/usr/bin/python3 -I -S {files.check}",
        "runtime": files.runtime,
        "listener": _asked(listeners(config.listen, {})),
        "interface": cluster.interface,
        "virtual_router_id": cluster.virtual_router_id,
        "own": cluster.address,
        "peers": cluster.peers,
        "addresses": first,
        "others": [each for each in floating if each not in first],
    }


def _addresses(listen: Listen) -> Sequence[Address]:
    return [each for each in listen.addresses if not isinstance(each, str)]


def _asked(opened: Sequence[Listener]) -> str:
    """Choose the listener that says whether Kamailio answers, as `node_check.py` reads it."""
    asked = next((each for each in opened if each.transport in PLAIN), None)
    return "none" if asked is None else f"{asked.transport},{asked.address},{asked.port}"
