"""Placing calls: SIPp as the caller and as the carrier."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import TimeoutExpired

from bench.places import ANSWERED_AT_ONCE, CALLER_PORT, CARRIER_PORT, HOST, PROXY_PORT
from inline_proxy.lab.children import Child, Children, holds_udp_port
from inline_proxy.paths import ROOT
from sipp.load.lab import Count, prefer_session

LOAD = ROOT / "tests" / "sipp" / "load"
LAB = ROOT / "src" / "inline_proxy" / "lab" / "scenarios"
PATIENCE_S = 45
"""Longer than any transaction: after that no call is left to end."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What is asked of the caller."""

    count: int
    rate: float
    """Calls that begin in a second."""
    number: str = ANSWERED_AT_ONCE
    scenario: str = "caller-brief"
    """A file in `LOAD`, or an absolute path; without its ending."""
    ring_ms: int = 0
    caller: str = "caller"
    """A name for the caller, where there are several."""
    port: int = CALLER_PORT
    proxy_port: int = PROXY_PORT
    host: str = HOST
    """Where the caller is, and the proxy that it calls."""

    @property
    def lasts_s(self) -> float:
        """How long until the last one begins."""
        return self.count / self.rate


def is_clean(calls: Calls, count: Count) -> bool:
    """Tell whether every call succeeded, and nothing had to be sent twice."""
    return count.succeeded == calls.count and not count.retransmissions


def start_carrier(
    children: Children,
    directory: Path,
    *,
    host: str = HOST,
    port: int = CARRIER_PORT,
    rings: bool = False,
) -> Child:
    """Start a carrier, which answers at once or only rings; return when it listens."""
    scenario = LAB / "carrier-rings.xml" if rings else LOAD / "carrier-brief.xml"
    name = f"carrier-{host}-{port}"
    carrier = children.start(name, _sipp(scenario, host, port, directory / f"{name}.csv"))
    prefer_session(carrier.process.pid)
    children.wait_for(carrier, partial(holds_udp_port, port), "it listened")
    return carrier


def start_caller(children: Children, directory: Path, calls: Calls) -> Child:
    """Start to place calls through the proxy."""
    statistics = directory / f"{calls.caller}.csv"
    statistics.unlink(missing_ok=True)
    command = [
        *_sipp(LOAD / f"{calls.scenario}.xml", calls.host, calls.port, statistics),
        f"{calls.host}:{calls.proxy_port}",
        *("-s", calls.number, "-m", str(calls.count), "-l", str(calls.count)),
        *("-r", f"{calls.rate:.0f}", "-d", str(calls.ring_ms)),
    ]
    caller = children.start(calls.caller, command)
    prefer_session(caller.process.pid)
    return caller


def place(children: Children, directory: Path, calls: Calls) -> Count:
    """Place calls, and wait for the end of the last; those without an end do not succeed."""
    return wait_for(start_caller(children, directory, calls), directory, calls)


def wait_for(caller: Child, directory: Path, calls: Calls) -> Count:
    """Wait for the end of the last call."""
    try:
        caller.process.wait(calls.lasts_s + calls.ring_ms / 1000 + PATIENCE_S)
    except TimeoutExpired:
        caller.process.terminate()
        caller.process.wait()
    return Count.read(directory / f"{calls.caller}.csv")


def _sipp(scenario: Path, host: str, port: int, statistics: Path) -> list[str]:
    """Start a command line; SIPp counts every second, and forgets a call that is over."""
    own = int(host.rpartition(".")[2])  # some of SIPp's sockets are on all addresses
    return [
        *("sipp", "-sf", str(scenario), "-i", host, "-p", str(port)),
        *("-cp", str(port + 50 + own), "-mp", str(port + 60 + own), "-nostdin", "-skip_rlimit"),
        *("-trace_stat", "-stf", str(statistics), "-fd", "1", "-deadcall_wait", "0"),
        *("-trace_err", "-error_file", str(statistics.with_suffix(".errors"))),
        *("-recv_timeout", "60000"),
    ]
