"""Runs the handshake program beside Kamailio, without waiting for it."""

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PROGRAM = Path(__file__).with_name("handshake.py")
GRACE_S = 5.0
"""What the program may take besides the time that it gives the site, twice."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a handshake has shown."""

    fault: str = ""
    """What went wrong; empty for nothing."""
    refused: bool = False
    """Whether it was the chain of the certificate."""
    certificate: str = ""
    """The certificate that was shown, in PEM; empty for none."""


class Run(Protocol):
    """A handshake under way."""

    def finding(self) -> Finding | None:
        """Return what it has shown; None while it goes on."""


class HandshakeRun:
    """One run of the program."""

    def __init__(self, site: Mapping[str, object]) -> None:
        """Begin; `site` is what the program takes, `timeout_s` among it."""
        self._deadline_s = time.monotonic() + 2 * float(str(site["timeout_s"])) + GRACE_S
        # Kamailio's own process would be `sys.executable`.
        python = shutil.which("python3") or "/usr/bin/python3"
        self._process = subprocess.Popen(
            [python, "-I", "-S", str(PROGRAM), json.dumps(site)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def finding(self) -> Finding | None:
        """Return what it has shown; None while it goes on.

        A program that fails or takes too long has found nothing wrong.
        """
        if self._process.poll() is None:
            if time.monotonic() < self._deadline_s:
                return None
            self._process.kill()
        said, _ = self._process.communicate()
        try:
            return Finding(**json.loads(said))
        except (ValueError, TypeError):
            return Finding()
