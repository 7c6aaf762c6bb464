"""Command lines for SIPp, which plays the lab's callers and carriers."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCENARIOS: Final = Path(__file__).with_name("scenarios")


@dataclass(frozen=True, slots=True)
class Part:
    """One SIPp: what it plays, on which port of loopback, and where its files go."""

    name: str
    scenario: str
    port: int
    directory: Path

    @property
    def trace(self) -> Path:
        """The file with every message that it sends and receives."""
        return self.directory / f"{self.name}.messages"

    def carrier(self) -> list[str]:
        """Give the command line of a carrier, which runs until it is ended.

        It forgets a call that is over: the next attempt of the same search has the same Call-ID.
        """
        return [*self._common(), "-nostdin", "-deadcall_wait", "0"]

    def caller(self, proxy_port: int, number: str, status: int) -> list[str]:
        """Give the command line of one call; it exits with 0 when the call ended as expected."""
        expected = ["-set", "status", str(status)] if self.scenario == "caller-refused" else []
        target = f"127.0.0.1:{proxy_port}"
        return [*self._common(), target, "-nostdin", "-m", "1", "-s", number, *expected]

    def _common(self) -> list[str]:
        """Give what callers and carriers share."""
        return [
            shutil.which("sipp") or "sipp",
            *("-sf", str(SCENARIOS / f"{self.scenario}.xml")),
            *("-i", "127.0.0.1", "-p", str(self.port)),
            *("-trace_msg", "-message_file", str(self.trace)),
            *("-trace_err", "-error_file", str(self.directory / f"{self.name}.errors")),
        ]
