"""A wire to another network that may be slow, lossy or cut, for kernels without netem.

Two taps, one in each network, and a thread that carries every frame from one to the other. A cut
wire drops them all: neither end hears of it, as when a NAT has forgotten a connection.
"""

import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sipp.neighbour import Neighbour

NEAR, FAR = "10.98.0.1", "10.98.0.2"
NEAR_TAP, FAR_TAP = "wire-near", "wire-far"
TUNSETIFF, IFF_TAP_NO_PI = 0x400454CA, 0x1002
LARGEST_FRAME = 65_535
LOOK_S = 0.05


@dataclass(slots=True)
class Wire:
    """What happens to each frame; may be changed at any time."""

    delay_s: float = 0.0
    """One way."""
    loss: float = 0.0
    """The share of the frames that is lost."""
    is_cut: bool = False
    is_ending: bool = False
    far_host: Neighbour = field(kw_only=True)
    """What is started in its network is at the other end."""

    def carry(self, near: int, far: int) -> None:
        """Carry frames between two taps until the wire is taken away."""
        under_way: list[tuple[float, int, int, bytes]] = []
        serial, chance = itertools.count(), random.Random(5)  # noqa: S311 - loss, not a secret
        while not self.is_ending:
            wait_s = under_way[0][0] - time.monotonic() if under_way else LOOK_S
            readable, _, _ = select.select([near, far], [], [], max(0.0, min(wait_s, LOOK_S)))
            for tap in readable:
                frame = os.read(tap, LARGEST_FRAME)
                if not self.is_cut and chance.random() >= self.loss:
                    arrives_s = time.monotonic() + self.delay_s
                    other = far if tap == near else near
                    heapq.heappush(under_way, (arrives_s, next(serial), other, frame))
            while under_way and under_way[0][0] <= time.monotonic():
                _, _, other, frame = heapq.heappop(under_way)
                os.write(other, frame)


@contextmanager
def wired() -> Iterator[Wire]:
    """Lay a wire to a network of its own; both ends are up."""
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        wire = Wire(far_host=Neighbour(holder))
        near, far = _tap(NEAR_TAP), _tap(FAR_TAP)
        _ip("link", "set", FAR_TAP, "netns", str(holder.pid))
        _up(NEAR_TAP, NEAR)
        with wire.far_host.entered():
            _up(FAR_TAP, FAR)
        thread = threading.Thread(target=wire.carry, args=(near, far), name="wire")
        thread.start()
        try:
            yield wire
        finally:
            wire.is_ending = True
            thread.join()
            os.close(near)
            os.close(far)
            holder.stdin.close()


def _tap(name: str) -> int:
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP_NO_PI))
    return tap


def _up(name: str, address: str) -> None:
    _ip("address", "add", f"{address}/24", "dev", name)
    _ip("link", "set", name, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
