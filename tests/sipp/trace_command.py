"""`inline-proxy trace`, run beside a proxy."""

import json
import subprocess
from pathlib import Path
from typing import Any, Self

from sipp.control import control_socket
from sipp.proxy import Proxy
from sipp.running import COMMAND, ENVIRONMENT
from sipp.waiting import wait_until


class Trace:
    """`inline-proxy trace` while it runs; it is ended with the block."""

    def __init__(self, proxy: Proxy, directory: Path, *arguments: str) -> None:
        self._out, self._err = directory / "traced", directory / "trace.err"
        runtime = str(control_socket(proxy).parent)
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [*COMMAND, "trace", "--runtime-dir", runtime, *arguments],
                env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1"},
                stdout=out,
                stderr=err,
            )

    def __enter__(self) -> Self:
        wait_until(lambda: "Ctrl-C ends it" in self.said, "the trace has begun")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def said(self) -> str:
        """What stands on stderr."""
        return self._err.read_text()

    @property
    def text(self) -> str:
        """What stands on stdout."""
        return self._out.read_text()

    def messages(self) -> list[dict[str, Any]]:
        """What `--json` has printed."""
        whole = self.text.rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def wait_for(self, text: str) -> None:
        """Wait until it has printed something."""
        wait_until(lambda: text in self.text, f"the trace shows {text}")
