"""Another host, one wire per network away: what differs between networks shows only so."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NETWORKS = {"inside": "10.9.0", "outside": "192.0.2"}
"""Where the switch is, and where the carriers are; the proxy's host is .1, the other host .2."""
STRICT = "echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter"
"""A packet is dropped whose sender is not on the network that it comes from (RFC 3704 §2.2)."""
CLONE_NEWNET = 0x40000000


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _enter(network: Path) -> None:
    """Move the calling thread into a network namespace."""
    with network.open() as opened:
        if ctypes.CDLL(None, use_errno=True).setns(opened.fileno(), CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"setns: {os.strerror(number)}")


class Neighbour:
    """A host with an address in each network."""

    def __init__(self, host: "subprocess.Popen[bytes]") -> None:
        self._host = host

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What is started in the block is started on that host."""
        here = Path("/proc/thread-self/ns/net")
        home = Path(f"/proc/self/fd/{os.open(here, os.O_RDONLY)}")
        _enter(Path(f"/proc/{self._host.pid}/ns/net"))
        try:
            yield
        finally:
            _enter(home)
            os.close(int(home.name))


@contextmanager
def wired() -> Iterator[Neighbour]:
    """Connect a host, and take it away again."""
    # `cat` says when its namespace is there, and goes when its input ends.
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", f"{STRICT} && ip link set lo up && echo up && exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"up\n"
        neighbour = Neighbour(host)
        for name, network in NETWORKS.items():
            _ip("link", "add", name, "type", "veth", "peer", name, "netns", str(host.pid))
            _ip("address", "add", f"{network}.1/24", "dev", name)
            _ip("link", "set", name, "up")
            with neighbour.entered():
                _ip("address", "add", f"{network}.2/24", "dev", name)
                _ip("link", "set", name, "up")
        yield neighbour
        assert host.stdin is not None
        host.stdin.close()
    for name in NETWORKS:
        subprocess.run(["ip", "link", "delete", name], check=False, stderr=subprocess.DEVNULL)
