"""Whether a proxy is well: its processes, its memory, its log."""

import re
from dataclasses import dataclass
from typing import Any

import psutil

from inline_proxy.kamailio_rpc import KamailioRpc
from inline_proxy.rendering import CONTROL_SOCKET
from sipp.proxy import Proxy
from sipp.waiting import wait_until

ILLNESS = re.compile(r"segfault|SIGSEGV|signal 11|core dump|double free|BUG:|internal err")
LEAK_BYTES = 3_000_000
"""Growth that is no leak yet: tables fill, allocators keep what they have had."""


@dataclass(slots=True)
class Vitals:
    """A proxy under attack."""

    proxy: Proxy
    workers: frozenset[int]
    shared_bytes: int = 0
    private_bytes: int = 0

    @classmethod
    def of(cls, proxy: Proxy) -> "Vitals":
        """Look at it before."""
        return cls(proxy, _workers(proxy))

    def rpc(self, method: str) -> Any:  # noqa: ANN401 - as JSON holds it
        """Ask Kamailio."""
        (socket,) = self.proxy.directory.glob(f"inline-proxy-*/{CONTROL_SOCKET}")
        return KamailioRpc(socket, timeout_s=10).call(method)

    def remember_memory(self) -> None:
        """From here on it must not grow."""
        self._wait_for_peace()
        self.shared_bytes, self.private_bytes = self.memory()

    def memory(self) -> tuple[int, int]:
        """Shared memory in use, and the processes' own."""
        shared = int(self.rpc("core.shmmem")["used"])
        own = [psutil.Process(pid).memory_full_info().uss for pid in self.workers]
        return shared, sum(own)

    def prove_alive(self) -> None:
        """Every worker is there, and nothing has crashed."""
        assert self.proxy.process.poll() is None, "the proxy has ended"
        assert _workers(self.proxy) == self.workers, "a worker has been lost"
        ill = [line for line in self.proxy.log().splitlines() if ILLNESS.search(line)]
        assert not ill, ill[:5]

    def prove_well(self) -> None:
        """It is alive, and nothing has been kept."""
        self.prove_alive()
        self._wait_for_peace()
        shared, private = self.memory()
        assert shared - self.shared_bytes < LEAK_BYTES
        # Of all processes together, in which the kernel makes pages of 2 MB of small ones.
        assert private - self.private_bytes < LEAK_BYTES * 4

    def _wait_for_peace(self) -> None:
        """Wait until no transaction is left: memory is compared in peace."""
        wait_until(
            lambda: self.rpc("tm.stats")["current"] == self.rpc("tm.stats")["waiting"] == 0,
            "every transaction has ended",
            patience_s=60,
        )


def _workers(proxy: Proxy) -> frozenset[int]:
    children = psutil.Process(proxy.process.pid).children(recursive=True)
    return frozenset(child.pid for child in children if child.name() == "kamailio")
