"""Nodes on hosts of their own that share a floating address, and the network between them.

The switch, the carriers and ClearIP live in the tests' own network; each node hangs on a bridge
there by a wire that can be cut.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from inline_proxy.config import parse_config
from inline_proxy.floating_address import NODE_CHECK, NodeFiles, keepalived_conf
from sipp.hosts import Host
from sipp.place import Place, Transport
from sipp.proxy import Config, Proxy
from sipp.waiting import wait_until

BRIDGE = "pair"
NETWORK = "10.20.0"
FLOATING = f"{NETWORK}.10"
SWITCH, CARRIER, CLEARIP = f"{NETWORK}.100", f"{NETWORK}.101", f"{NETWORK}.102"
PORT, SITE_PORT, CLUSTER_PORT = 5060, 6061, 5070
STOP_PATIENCE_S = 10
NO_CLEARIP = f"""table ip no_clearip {{
 chain out {{ type filter hook output priority 0; ip daddr {CLEARIP} drop; }}
}}
"""


def ip(*words: str) -> None:
    """Change the tests' own network."""
    subprocess.run(["ip", *words], check=True)


@contextmanager
def bridge() -> Iterator[None]:
    """The network that nodes are plugged into; the switch, the carrier and ClearIP are on it."""
    ip("link", "add", BRIDGE, "type", "bridge")
    try:
        for address in (SWITCH, CARRIER, CLEARIP):
            ip("address", "add", f"{address}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        yield
    finally:
        ip("link", "delete", BRIDGE)


class Floating:
    """The floating address, as a switch is configured with it."""

    def place(self, transport: Transport, *, ipv6: bool) -> Place:
        """Whoever has it."""
        assert not ipv6
        return Place(FLOATING, PORT + 1 if transport == "tls" else PORT, transport)


def node_config(number: int, others: tuple[int, ...], ca_file: Path, keys: Path) -> Config:
    """The configuration of one node, which listens on the floating address alone."""
    return {
        "listen": {"addresses": [FLOATING], "floating": True},
        "clearip": {
            "sites": [{"host": CLEARIP, "port": SITE_PORT}],
            "tls": {"ca_file": str(ca_file)},
            "keepalive_s": 1,
        },
        "trusted": [SWITCH],
        "dialog": {"key_file": str(keys)},
        "cluster": {
            "address": f"{NETWORK}.{number}",
            "peers": [f"{NETWORK}.{other}" for other in others],
            "port": CLUSTER_PORT,
        },
        "admin": {"listen": None},
    }


@dataclass(slots=True)
class Node:
    """A host with a proxy, and keepalived beside it where it is one of a pair."""

    number: int
    host: Host
    proxy: Proxy
    keepalived: "subprocess.Popen[bytes] | None" = None

    @classmethod
    def start(
        cls, number: int, directory: Path, config: Config, release: Path | None = None
    ) -> "Node":
        """Plug a host in and start its proxy, of another checkout where one is given.

        keepalived follows with `keep`.
        """
        host = Host()
        wire = f"node{number}"
        ip("link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", host.path)
        ip("link", "set", wire, "master", BRIDGE, "up")
        host.run("ip", "address", "add", f"{NETWORK}.{number}/24", "dev", "eth0")
        host.run("ip", "link", "set", "eth0", "up")
        directory.mkdir()
        other = () if release is None else ("env", f"PYTHONPATH={release / 'src'}")
        prefix = ("nsenter", f"--net={host.path}", *other)
        try:
            proxy = Proxy.start(PORT, config, directory, prefix)
        except BaseException:
            _unplug(host, wire)  # or nothing after it could be plugged in
            raise
        return cls(number, host, proxy)

    @property
    def wire(self) -> str:
        """The end of its wire that is on the bridge."""
        return f"node{self.number}"

    @property
    def runtime(self) -> Path:
        """Where its proxy was rendered to."""
        (found,) = self.proxy.directory.glob("inline-proxy-*")
        return found

    def keep(self) -> None:
        """Start keepalived."""
        directory = self.proxy.directory
        config = parse_config((directory / "config.yaml").read_text())
        files = NodeFiles(NODE_CHECK, self.runtime, "root")
        (directory / "keepalived.conf").write_text(keepalived_conf(config, files))
        pids = (f"--{kind}={directory / kind}" for kind in ("pid", "vrrp_pid", "checkers_pid"))
        with (directory / "keepalived.log").open("wb") as log:
            self.keepalived = subprocess.Popen(
                [
                    *("nsenter", f"--net={self.host.path}", "stdbuf", "-oL", "keepalived"),
                    *("--dont-fork", "--log-console", "--vrrp", *pids),
                    f"--use-file={directory / 'keepalived.conf'}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def has_the_address(self) -> bool:
        """Whether the floating address is on this host."""
        return f"{FLOATING}/" in self.host.run("ip", "address", "show", "dev", "eth0")

    def processes(self) -> list[psutil.Process]:
        """Every process of the node."""
        keepalived = [] if self.keepalived is None else [self.keepalived.pid]
        return self._below(self.proxy.process.pid, *keepalived)

    @property
    def of_the_proxy(self) -> list[psutil.Process]:
        """Those of the proxy alone: keepalived lives on."""
        return self._below(self.proxy.process.pid)

    @staticmethod
    def _below(*mains: int) -> list[psutil.Process]:
        found = []
        for pid in mains:
            with suppress(psutil.NoSuchProcess):
                main = psutil.Process(pid)
                found += [main, *main.children(recursive=True)]
        return found

    @property
    def kamailio(self) -> list[psutil.Process]:
        """Its Kamailio's processes."""
        return [each for each in self.processes() if name_of(each) == "kamailio"]

    def pull_the_plug(self) -> None:
        """Stop every process as it stands, and cut the wire: power is gone as others see it."""
        self.cut()
        signal_all(self.processes(), signal.SIGSTOP)

    def cut(self) -> None:
        """Cut the wire."""
        ip("link", "set", self.wire, "down")

    def lose_clearip(self) -> None:
        """Let nothing through to ClearIP any more."""
        self.host.run("nft", "-f", "-", given=NO_CLEARIP)

    def find_clearip(self) -> None:
        """Let it through again."""
        self.host.run("nft", "delete", "table", "ip", "no_clearip")

    def mend(self) -> None:
        """Join the wire again."""
        ip("link", "set", self.wire, "up")

    @property
    def lowered(self) -> int:
        """How often keepalived has found that the node takes no calls."""
        log = (self.proxy.directory / "keepalived.log").read_text()
        return log.count("Changing effective priority from 100 to 50")

    def takes_calls(self) -> bool:
        """Whether keepalived's check says so."""
        asked = [sys.executable, str(NODE_CHECK), "takes-calls", str(self.runtime)]
        return subprocess.run(asked, check=False).returncode == 0

    def story(self) -> str:
        """Everything that helps to see what went wrong."""
        kept = (self.proxy.directory / "keepalived.log").read_text()
        return f"node {self.number}: {self.proxy.log()}\n{kept}"

    def command(self, *words: str) -> str:
        """Run `inline-proxy` there, on its proxy."""
        return self.host.run(
            "env", f"PYTHONPATH={NODE_CHECK.parents[1]}", *_python(), *words,
            "--runtime-dir", str(self.runtime),
        )  # fmt: skip

    def stop(self) -> None:
        """End everything, whatever state it is in."""
        signal_all(self.processes(), signal.SIGCONT)
        if self.keepalived is not None:
            self.keepalived.terminate()
            self.keepalived.wait(STOP_PATIENCE_S)
        self.proxy.stop()
        _unplug(self.host, self.wire)


def _unplug(host: Host, wire: str) -> None:
    subprocess.run(["ip", "link", "delete", wire], check=False)
    host.close()


def _python() -> tuple[str, ...]:
    return (sys.executable, "-m", "inline_proxy")


def name_of(process: psutil.Process) -> str:
    """What a process is called; "" when it has ended since it was listed."""
    with suppress(psutil.NoSuchProcess):
        return process.name()
    return ""


def signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    """Signal processes, some of which may have ended."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


@dataclass(slots=True)
class Pair:
    """Two nodes and the floating address."""

    nodes: tuple[Node, Node]

    def settle(self) -> None:
        """Wait until one of them has the address."""
        wait_until(lambda: sum(each.has_the_address for each in self.nodes) == 1, "one has it")

    @property
    def active(self) -> Node:
        """Who has the floating address."""
        (active,) = (each for each in self.nodes if each.has_the_address)
        return active

    @property
    def standby(self) -> Node:
        """Who has not."""
        (standby,) = (each for each in self.nodes if not each.has_the_address)
        return standby
