"""Many calls at once: ClearIP's stand-in and the carriers as processes of their own, and SIPp.

The scenarios beside this file can be used by hand as well. No message is traced, as that would
load the machine more than the calls do: the carriers refuse to go on with a call that is not
signed, and the stand-in's record says what ClearIP was asked.
"""

import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from inline_proxy.lab.certificates import LabFiles
from inline_proxy.lab.children import Child, Children, holds_udp_port
from inline_proxy.lab.message import Message
from sipp.place import Place

SCENARIOS = Path(__file__).parent
HOST = "127.0.0.1"
CLEARIP = Place(HOST, 6090, "tls")
CALLER_PORT = 6100
CARRIERS = {"A": 6110, "B": 6120, "R": 6130}
REFUSING = "R"
RECORD = "clearip.jsonl"
NICE = -10
LONGEST_CALL_S = 40
"""Longer than any transaction lasts: when this is over, no call is left to end."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many calls, and how many of them begin in a second."""

    calls: int
    rate: int

    @property
    def lasts_s(self) -> float:
        """How long until the last one begins."""
        return self.calls / self.rate


@dataclass(frozen=True, slots=True)
class Count:
    """What one SIPp has counted since its start; a call that was not signed has failed."""

    succeeded: int
    failed: int
    retransmissions: int

    @classmethod
    def read(cls, path: Path) -> "Count":
        """Read the last line of a file that SIPp writes every second, and at its end."""
        with path.open(newline="") as lines:
            last = list(csv.DictReader(lines, delimiter=";"))[-1]
        names = ("SuccessfulCall(C)", "FailedCall(C)", "Retransmissions(C)")
        return cls(*(int(last[name]) for name in names))


class LoadLab:
    """ClearIP's stand-in and the carriers, running."""

    def __init__(self, directory: Path, children: Children) -> None:
        self._directory = directory
        self._children = children

    @property
    def as_clearip(self) -> dict[str, object]:
        """What a proxy's configuration says that asks this stand-in."""
        return {"sites": [{"host": CLEARIP.host, "port": CLEARIP.port}]}

    def place_calls(self, proxy: Place, load: Load) -> Count:
        """Place the calls and wait for the end of the last."""
        statistics = self._directory / "caller.csv"
        command = [
            *sipp("caller", CALLER_PORT, statistics),
            proxy.host_port,
            *("-inf", str(SCENARIOS / "numbers.csv"), "-l", str(load.calls)),
            *("-m", str(load.calls), "-r", str(load.rate)),
        ]
        caller = self._start("caller", command)
        caller.process.wait(load.lasts_s + LONGEST_CALL_S)
        return Count.read(statistics)

    def counts(self) -> dict[str, Count]:
        """What the carriers have counted, up to a second ago."""
        return {name: Count.read(self._statistics(name)) for name in CARRIERS}

    def asked(self) -> Iterator[str]:
        """The Call-ID of every INVITE that ClearIP has received, each as often as it was."""
        with (self._directory / RECORD).open(encoding="utf-8") as record:
            for line in record:
                message = json.loads(line)
                if message["direction"] == "received" and message["text"].startswith("INVITE "):
                    yield Message.parse(message["text"]).header("call-id")

    def start_carrier(self, name: str) -> None:
        """Start a carrier, and wait until it listens."""
        port = CARRIERS[name]
        scenario = "carrier-refuses" if name == REFUSING else "carrier-answers"
        # It forgets a call that is over: another attempt of one search has the same Call-ID.
        command = [*sipp(scenario, port, self._statistics(name)), "-deadcall_wait", "0"]
        carrier = self._start(f"carrier {name}", command)
        self._children.wait_for(carrier, partial(holds_udp_port, port), "it listened")

    def start_clearip(self, files: LabFiles) -> None:
        """Start the stand-in, and wait until it listens."""
        clearip = self._start("ClearIP", self._clearip(files))
        self._children.wait_for(clearip, lambda: "ready" in clearip.output, "it listened")

    def _start(self, name: str, command: Sequence[str | Path]) -> Child:
        child = self._children.start(name, command)
        prefer_session(child.process.pid)
        return child

    def _clearip(self, files: LabFiles) -> list[str | Path]:
        carriers = (("--carrier", f"{name}=sip:{HOST}:{port}") for name, port in CARRIERS.items())
        return [
            *(sys.executable, "-m", "inline_proxy.lab.clearip"),
            *("--listen", CLEARIP.host_port),
            *("--cert", files.certificate, "--key", files.private_key),
            *("--signing-key", files.signing_key),
            *("--answers", SCENARIOS / "answers.json"),
            *("--record", self._directory / RECORD),
            *chain.from_iterable(carriers),
        ]

    def _statistics(self, carrier: str) -> Path:
        return self._directory / f"carrier-{carrier}.csv"


@contextmanager
def load_lab(directory: Path, files: LabFiles) -> Iterator[LoadLab]:
    """Start ClearIP's stand-in and the carriers in a directory, and end them on the way out."""
    with Children(directory) as children:
        lab = LoadLab(directory, children)
        lab.start_clearip(files)
        for name in CARRIERS:
            lab.start_carrier(name)
        yield lab


@contextmanager
def precedence() -> Iterator[None]:
    """Let what is started here have the processor before what else the machine does meanwhile.

    A load that starves proves nothing: ClearIP has two seconds to answer, and the stand-in is one
    process. Where the kernel may not be asked for this, the machine should be idle.
    """
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    yield
    os.setpriority(os.PRIO_PROCESS, 0, before)


def prefer_session(leader: int) -> None:
    """The same for a session of its own, where the kernel weighs sessions (sched(7), autogroup)."""
    with suppress(OSError):
        Path(f"/proc/{leader}/autogroup").write_text(str(NICE))


def sipp(scenario: str, port: int, statistics: Path) -> list[str]:
    """The start of a command line; SIPp counts every second."""
    return [
        "sipp",
        *("-sf", str(SCENARIOS / f"{scenario}.xml")),
        *("-i", HOST, "-p", str(port), "-cp", str(port + 1), "-mp", str(port + 2)),
        *("-trace_stat", "-stf", str(statistics), "-fd", "1"),
        *("-trace_err", "-error_file", str(statistics.with_suffix(".errors"))),
        *("-nostdin", "-skip_rlimit"),
    ]
