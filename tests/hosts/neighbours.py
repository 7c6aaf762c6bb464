"""Who is around a host under test: ClearIP, a carrier and a switch, at an address of their own."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hosts.waiting import wait_until
from inline_proxy.lab.certificates import LabFiles, write_lab_files
from inline_proxy.lab.children import Child, Children
from inline_proxy.lab.sipp import SCENARIOS

CLEARIP_PORT = 6061
CARRIER_PORT = 7001
SWITCH_PORT = 7100
CALL_LIMIT_S = 40
ANSWERED_BY_CARRIER = "+14045550101"
"""The stand-in answers with one signed route to carrier A."""


@dataclass(frozen=True, slots=True)
class Load:
    """Calls that go on while something is done to the host."""

    child: Child
    counts: Path
    rate: int
    """Calls per second."""

    @property
    def failed(self) -> int:
        """How many calls have failed so far."""
        return self._last("FailedCall(C)")

    @property
    def answered(self) -> int:
        """How many calls have gone well so far."""
        return self._last("SuccessfulCall(C)")

    def go_on(self) -> None:
        """Wait until another second's worth of calls has gone well."""
        wanted = self.answered + self.rate
        wait_until(lambda: self.answered > wanted, "calls go on")

    def _last(self, column: str) -> int:
        """Read the newest line of SIPp's statistics."""
        lines = self.counts.read_text().splitlines() if self.counts.exists() else []
        if len(lines) < 2:
            return 0
        return int(dict(zip(lines[0].split(";"), lines[-1].split(";"), strict=False))[column])


class Neighbours:
    """ClearIP's stand-in and carrier A; calls are placed to a host by a switch beside them."""

    def __init__(self, address: str, directory: Path) -> None:
        self.address = address
        self._directory = directory
        self._children = Children(directory)
        self.files: LabFiles = write_lab_files(directory)

    @property
    def configuration(self) -> dict[str, object]:
        """What a proxy is configured with to ask this ClearIP."""
        return {
            "clearip": {
                "sites": [{"host": self.address, "port": CLEARIP_PORT}],
                "tls": {"ca_file": "/etc/inline-proxy/lab-ca.pem"},
            }
        }

    def arrive(self) -> None:
        """Take the address, start everybody, and wait until they listen."""
        subprocess.run(f"ip address add {self.address}/24 dev hosts0".split(), check=True)
        clearip = self._children.start("ClearIP", self._clearip())
        self._children.wait_for(clearip, lambda: "ready" in clearip.output, "it listened")
        carrier = self._children.start("carrier", self._sipp("carrier-answers", CARRIER_PORT))
        listens = partial(self._listens, CARRIER_PORT)
        self._children.wait_for(carrier, listens, "it listened")

    def leave(self) -> None:
        """End everybody."""
        self._children.end()

    def call(self, host: str, *, patience_s: int = CALL_LIMIT_S) -> bool:
        """Place a call from the switch; tell whether it was answered and hung up in order.

        What SIPp says of one that was not is printed: pytest shows it with the failed test.
        """
        errors = self._errors("caller-answered", SWITCH_PORT)
        errors.unlink(missing_ok=True)
        program = [
            *self._sipp("caller-answered", SWITCH_PORT),
            *("-timeout", str(patience_s), "-timeout_error"),
        ]
        asked = [*program, f"{host}:5060", "-m", "1", "-s", ANSWERED_BY_CARRIER]
        done = subprocess.run(
            asked,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=2 * CALL_LIMIT_S,
            cwd=self._directory,
        )
        if done.returncode and errors.exists():
            sys.stderr.write(errors.read_text())
        return done.returncode == 0

    def load(self, host: str, *, rate: int) -> Load:
        """Place calls to a host, so many a second, until `stop` is called."""
        counts = self._directory / "load.csv"
        counts.unlink(missing_ok=True)
        program = self._sipp("caller-answered", SWITCH_PORT + 10)
        statistics = ["-trace_stat", "-stf", str(counts), "-fd", "1"]
        asked = [
            *program,
            f"{host}:5060",
            "-s",
            ANSWERED_BY_CARRIER,
            "-r",
            str(rate),
            "-m",
            "1000000",
        ]
        load = Load(self._children.start("load", [*asked, *statistics]), counts, rate)
        wait_until(lambda: load.answered >= rate, "calls are being answered")
        return load

    def _clearip(self) -> list[str | Path]:
        files = self.files
        return [
            *(sys.executable, "-m", "inline_proxy.lab.clearip"),
            *("--listen", f"{self.address}:{CLEARIP_PORT}"),
            *("--cert", files.certificate, "--key", files.private_key),
            *("--signing-key", files.signing_key, "--record", self._directory / "clearip.jsonl"),
            *("--carrier", f"A=sip:{self.address}:{CARRIER_PORT}"),
        ]

    def _sipp(self, scenario: str, port: int) -> list[str]:
        return [
            shutil.which("sipp") or "sipp",
            *("-sf", str(SCENARIOS / f"{scenario}.xml"), "-nostdin"),
            *("-i", self.address, "-p", str(port), "-deadcall_wait", "0"),
            *("-trace_err", "-error_file", str(self._errors(scenario, port))),
        ]

    def _errors(self, scenario: str, port: int) -> Path:
        return self._directory / f"{scenario}-{port}.errors"

    def _listens(self, port: int) -> bool:
        listening = ["ss", "--no-header", "--listening", "--udp", f"src {self.address}:{port}"]
        return bool(subprocess.run(listening, capture_output=True, check=True).stdout)
