"""What a call costs on one node, and on each of two nodes that take as many each.

A node, its caller, its ClearIP and its carrier are kept to one processor together: the second node
has another processor with the same cast. So a node has the same budget and the same company whether
it is alone or not. What two nodes carry beside one is what a call costs there beside here, and the
processor time of the nodes alone counts. The two are a group, whose nodes tell each other what they
count, or know nothing of each other: what is lost then is the machine's, whose processors have a
cache and the way to memory in common.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.calls import Calls, place, start_caller, start_carrier, wait_for
from bench.clearip import start_clearip
from bench.cost import ATTEMPTS, NotClean, Say
from bench.figures import Spread
from bench.places import HOST, PROXY_PORT, PROXY_TLS_PORT
from bench.proxies import Proxy, of_this_checkout, ours
from bench.usage import cpu_s
from inline_proxy.lab.certificates import LabFiles, write_lab_files
from inline_proxy.lab.children import Children

NODE_RATE: Final = 200
"""Calls per second for each node: its processor has time for the whole cast."""
RUN_S: Final = 10
HOSTS: Final = (HOST, "127.0.0.2")
"""One for each node and its cast; their places are the processors to which they are kept."""
CLUSTER_PORT: Final = 5070


@dataclass(frozen=True, slots=True)
class Nodes:
    """Milliseconds of a node's processor for each call, over several runs."""

    rate: int
    one_ms: Spread
    apart_ms: Spread
    """Of two nodes that know nothing of each other."""
    group_ms: Spread

    @property
    def times(self) -> float:
        """How many times the calls of one node a group of two carries."""
        return 2 * self.one_ms.median / self.group_ms.median

    @property
    def times_apart(self) -> float:
        """The same of two nodes that know nothing of each other."""
        return 2 * self.one_ms.median / self.apart_ms.median

    @property
    def times_of_sharing(self) -> float:
        """How many times the calls of such a node a group of two carries: without the machine."""
        return 2 * self.apart_ms.median / self.group_ms.median


def nodes(directory: Path, rounds: int, rate: int, say: Say) -> Nodes:
    """Let one node and two nodes take turns; raises `NotClean` when calls go on failing.

    The one node is on each processor in turn.
    """
    one: list[float] = []
    apart: list[float] = []
    group: list[float] = []
    directory.mkdir()
    with Children(directory) as children:
        stage = _Stage(directory, children)
        for number in range(rounds):
            for name, known, hosts, is_group in (
                ("one node", one, (HOSTS[number % 2],), False),
                ("two apart", apart, HOSTS, False),
                ("two of a group", group, HOSTS, True),
            ):
                known.append(_without_failure(stage, hosts, rate, is_group=is_group))
                say(f"round {number + 1}, {name}: {known[-1]:.3f} ms for each call")
    return Nodes(rate, Spread(tuple(one)), Spread(tuple(apart)), Spread(tuple(group)))


class _Stage:
    """The casts of all nodes, and where the nodes are started."""

    def __init__(self, directory: Path, children: Children) -> None:
        self.directory, self.children = directory, children
        self.files: LabFiles = write_lab_files(directory)
        self.nodes = directory / "nodes"
        self.nodes.mkdir()
        for host in HOSTS:
            clearip = directory / f"clearip-{host}"
            clearip.mkdir()
            with kept_to(host):
                start_clearip(children, clearip, self.files, host)
                start_carrier(children, directory, host=host)


@contextmanager
def kept_to(host: str) -> Iterator[None]:
    """Keep what is started to the processor of a node."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[HOSTS.index(host)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _without_failure(stage: _Stage, hosts: tuple[str, ...], rate: int, *, is_group: bool) -> float:
    for _ in range(ATTEMPTS):
        spent_ms, succeeded = _measured(stage, hosts, rate, is_group=is_group)
        if succeeded == len(hosts) * rate * RUN_S:
            return spent_ms / succeeded
    raise NotClean(f"{len(hosts)} nodes: calls failed at {rate} a second each, {ATTEMPTS} times")


def _measured(
    stage: _Stage, hosts: tuple[str, ...], rate: int, *, is_group: bool
) -> tuple[float, int]:
    """Return the processor time that all calls have taken, and how many have succeeded."""
    with ExitStack() as running:
        processes = []
        for host in hosts:
            with kept_to(host):
                peers = [each for each in hosts if each != host] if is_group else []
                node = running.enter_context(_node(host, peers).running(stage.nodes, stage.files))
                place(stage.children, stage.directory, _calls(host, count=300, rate=100))
            processes += node.processes()
        before = cpu_s(processes)
        callers = []
        for host in hosts:
            calls = _calls(host, count=rate * RUN_S, rate=rate)
            with kept_to(host):
                callers.append((start_caller(stage.children, stage.directory, calls), calls))
        ended = [wait_for(caller, stage.directory, calls) for caller, calls in callers]
        return (cpu_s(processes) - before) * 1000, sum(each.succeeded for each in ended)


def _calls(host: str, *, count: int, rate: int) -> Calls:
    return Calls(count, rate, caller=f"caller-{host}", host=host)


def _node(own: str, peers: list[str]) -> Proxy:
    changes: dict[str, Any] = {
        "listen": {
            "addresses": [own],
            "udp": PROXY_PORT,
            "tcp": PROXY_PORT,
            "tls": PROXY_TLS_PORT,
        },
        "trusted": [own],
        "admin": {"listen": None},
    }
    if peers:
        changes["cluster"] = {"address": own, "peers": peers, "port": CLUSTER_PORT}
    return ours(of_this_checkout(), changes, f"node-{own}", clearip=own)
