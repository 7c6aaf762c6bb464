"""`inline-proxy run` under the eye of a test: what it says, and which processes it leaves."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

import psutil

from inline_proxy.listeners import TRANSPORTS, Listener
from inline_proxy.paths import ROOT
from sipp.waiting import wait_until

HOST, HOST_IPV6 = "127.0.7.1", "::1"
PORT, TLS_PORT = 5990, 5991
LISTEN: dict[str, Any] = {
    "addresses": [HOST, HOST_IPV6],
    "udp": PORT,
    "tcp": PORT,
    "tls": TLS_PORT,
}
LISTENERS = tuple(
    Listener(transport, ip_address(host), TLS_PORT if transport == "tls" else PORT)
    for transport in TRANSPORTS
    for host in (HOST, HOST_IPV6)
)
STOP_PATIENCE_S = 15
"""Longer than the time after which it kills a Kamailio that does not end."""


COMMAND = (sys.executable, "-m", "inline_proxy")
FROM_A_TERMINAL = ("env", "--default-signal=HUP")
"""The tests themselves may run under `nohup`, which the command would take to be its own."""
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}


def inline_proxy(*arguments: str) -> None:
    """Call the command, which must succeed."""
    subprocess.run([*COMMAND, *arguments], env=ENVIRONMENT, check=True)


class Run:
    """One `inline-proxy run`, with a temporary directory of its own."""

    def __init__(
        self,
        directory: Path,
        config: dict[str, Any] | str,
        *options: str,
        prefix: Sequence[str] = (),
    ) -> None:
        self.temporary = directory / "t"
        self.temporary.mkdir(exist_ok=True)
        self._log = directory / "log"
        file = directory / "config.yaml"
        file.write_text(config if isinstance(config, str) else json.dumps(config))
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*FROM_A_TERMINAL, *prefix, *COMMAND, "run", str(file), *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=ENVIRONMENT | {"TMPDIR": str(self.temporary), "XDG_STATE_HOME": str(directory)},
            )
        self._group: list[psutil.Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(STOP_PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def wait_until_ready(self) -> Self:
        """Wait for the first line on stdout, which is `ready`; remember Kamailio's processes."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line == "ready\n", f"{line!r}\n{self.log}"
        self._group = [self.kamailio, *self.kamailio.children(recursive=True)]
        everything = psutil.Process(self.process.pid).children(recursive=True)
        self._observer = [each for each in everything if each not in self._group]
        return self

    @property
    def kamailio(self) -> psutil.Process:
        """Kamailio's main process."""
        children = psutil.Process(self.process.pid).children()
        (main,) = (child for child in children if child.name() == "kamailio")
        return main

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that Kamailio had when it was ready, besides the main one."""
        return self._group[1:]

    def leaves_no_process(self) -> bool:
        """Tell whether every process of the proxy ends, in the time that things may take."""
        started = [*self._group, *self._observer]
        wait_until(lambda: not any(map(lives, started)), "every process of the proxy has ended")
        return True

    def end(self, number: signal.Signals) -> int:
        """Send it a signal; return its exit code."""
        self.process.send_signal(number)
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait for its end, and return its exit code."""
        return self.process.wait(STOP_PATIENCE_S)

    def rest_of_stdout(self) -> str:
        """What it has said on stdout since `ready`; it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    @property
    def log(self) -> str:
        """What stands on stderr."""
        return self._log.read_text(errors="replace")

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left in its temporary directory."""
        return list(self.temporary.iterdir()) == []


def lives(process: psutil.Process) -> bool:
    """Tell whether a process runs: one that has ended and waits for its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
