"""Calls by the thousand: none may fail, and nothing may be left of them.

INLINE_PROXY_LOAD_CALLS and INLINE_PROXY_LOAD_RATE change how many there are, and how many begin in
a second; `pytest -rP` shows how many messages were sent again.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from inline_proxy.lab.certificates import CertificateAuthority
from sipp.load.lab import REFUSING, Load, LoadLab, prefer_session
from sipp.proxy import Proxy, base_config, merged
from sipp.waiting import wait_until

LOAD = Load(
    calls=int(os.environ.get("INLINE_PROXY_LOAD_CALLS", "10000")),
    rate=int(os.environ.get("INLINE_PROXY_LOAD_RATE", "300")),
)
ROUNDS = 2
ROUND_LIMIT_S = LOAD.lasts_s + 90
PORT = 5900
TOLERATED_GROWTH_BYTES = 65_536


@pytest.fixture
def proxy(lab: LoadLab, tmp_path: Path, authority: CertificateAuthority) -> Iterator[Proxy]:
    """A proxy that serves this load alone."""
    ca_file = tmp_path / "authority.pem"
    ca_file.write_bytes(authority.pem)
    directory = tmp_path / "proxy"
    directory.mkdir()
    config = merged(base_config(PORT, ca_file), {"clearip": lab.as_clearip})
    running = Proxy.start(PORT, config, directory)
    for kamailio in psutil.Process(running.process.pid).children():
        prefer_session(kamailio.pid)
    yield running
    running.stop()


@pytest.mark.timeout(ROUNDS * ROUND_LIMIT_S)
def test_thousands_of_calls_succeed_and_leave_nothing_behind(lab: LoadLab, proxy: Proxy) -> None:
    """Twice in a row: no call fails, ClearIP is asked once for each, every attempt is signed."""
    memory_used = []
    for number in range(1, ROUNDS + 1):
        caller = lab.place_calls(proxy.place("udp"), LOAD)
        sys.stdout.write(f"round {number}: {caller}, {lab.counts()}\n")  # pytest -rP shows it

        assert (caller.succeeded, caller.failed) == (LOAD.calls, 0)
        every_call_has_ended_well_at_its_carrier(lab, number * LOAD.calls)
        asked = Counter(lab.asked())
        assert len(asked) == number * LOAD.calls
        assert set(asked.values()) == {1}
        wait_until(partial(holds_no_transaction, proxy), "every transaction has ended")
        memory_used.append(int(kamcmd(proxy, "core.shmmem")["used"]))
    assert "ERROR" not in proxy.log()
    assert memory_used[-1] - memory_used[0] < TOLERATED_GROWTH_BYTES


def every_call_has_ended_well_at_its_carrier(lab: LoadLab, calls: int) -> None:
    """Wait until the carriers say that they have answered so many calls, and failed none."""

    def have_ended() -> bool:
        counts = lab.counts()
        return sum(counts[name].succeeded for name in counts if name != REFUSING) == calls

    wait_until(have_ended, f"{calls} calls have ended at their carriers")
    counts = lab.counts()
    assert not [name for name in counts if counts[name].failed], counts
    assert counts[REFUSING].succeeded == calls // 10, "numbers that end in 9 lead there first"


def holds_no_transaction(proxy: Proxy) -> bool:
    """Tell whether Kamailio has forgotten every request, as it must some seconds after its end."""
    return kamcmd(proxy, "tm.stats")["current"] == "0"


def kamcmd(proxy: Proxy, command: str) -> dict[str, str]:
    """Ask Kamailio for numbers, over the socket that it has for the operator."""
    (socket,) = proxy.directory.glob("inline-proxy-*/rpc.sock")
    asked = ["kamcmd", "-s", f"unix:{socket}", command]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    lines = (line.partition(":") for line in said.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}
