"""The benchmark's lab: ClearIP's stand-in and a carrier, and the proxies in turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.calls import Calls, is_clean, place, start_carrier
from bench.clearip import start_clearip
from bench.delay import Delays
from bench.proxies import Proxy, Running
from bench.usage import cpu_s
from inline_proxy.lab.certificates import LabFiles, write_lab_files
from inline_proxy.lab.children import Children
from sipp.load.lab import Count

WARM_UP = Calls(count=300, rate=100)
"""Calls before anything is measured: Python compiles, tables fill, memory is claimed."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of calls through one proxy."""

    calls: Calls
    count: Count
    cpu_ms: float
    """Processor time of the proxy for each call placed."""
    delays_ms: list[float] = field(repr=False)
    """How long each INVITE took through the proxy, shortest first."""

    @property
    def is_clean(self) -> bool:
        """Whether every call succeeded, and nothing had to be sent twice."""
        return is_clean(self.calls, self.count)


class Lab:
    """What the proxies are measured in."""

    def __init__(self, directory: Path, files: LabFiles, children: Children) -> None:
        self.directory = directory
        self.children = children
        self._files = files
        self._proxies = directory / "proxies"
        self._proxies.mkdir()

    @contextmanager
    def running(self, proxy: Proxy, warm_up: Calls = WARM_UP) -> Iterator[Running]:
        """Start a proxy, warm it up, and end it on the way out."""
        with self.started(proxy) as running:
            self.place(warm_up)
            yield running

    @contextmanager
    def started(self, proxy: Proxy) -> Iterator[Running]:
        """Start a proxy, and end it on the way out."""
        with proxy.running(self._proxies, self._files) as running:
            yield running

    def place(self, calls: Calls) -> Count:
        """Place calls through the proxy that runs, and wait for the end of the last."""
        return place(self.children, self.directory, calls)

    def measured(self, running: Running, calls: Calls) -> Sample:
        """Place calls, and tell what they cost."""
        processes = running.processes()
        before = cpu_s(processes)
        with Delays() as delays:
            count = self.place(calls)
        spent_ms = (cpu_s(processes) - before) * 1000
        return Sample(calls, count, spent_ms / calls.count, delays.milliseconds)


@contextmanager
def lab(directory: Path, *, rings: bool = False) -> Iterator[Lab]:
    """Start a lab in an empty directory; its carrier answers at once, or only rings."""
    directory.mkdir()
    files = write_lab_files(directory)
    clearip = directory / "clearip"
    clearip.mkdir()
    with Children(directory) as children:
        start_clearip(children, clearip, files)
        start_carrier(children, directory, rings=rings)
        yield Lab(directory, files, children)
