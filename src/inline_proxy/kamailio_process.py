"""Kamailio in the foreground: started, watched until it answers, ended without a trace."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from inline_proxy.listeners import Listener
from inline_proxy.sip_probe import answers_options

SHARED_MEMORY_MB = 512
WORKER_MEMORY_MB = 16
START_DEADLINE_S = 20.0
STOP_DEADLINE_S = 10.0
PROBE_TIMEOUT_S = 0.5
POLL_INTERVAL_S = 0.05


def command(directory: Path) -> list[str]:
    """Return the command line that runs a rendered directory.

    The TLSF allocator: the default one spends a third of a call's cost searching free lists
    once a Python heap shares the process. `setpriv` ends Kamailio if this process is killed.
    """
    memory = ["-m", str(SHARED_MEMORY_MB), "-M", str(WORKER_MEMORY_MB), "-x", "tlsf", "-X", "tlsf"]
    return [
        *("setpriv", "--pdeathsig", "TERM"),
        *("kamailio", "-f", str(directory / "kamailio.cfg"), "-DD", "-E", *memory),
    ]


class KamailioProcess:
    """One running Kamailio and all its workers."""

    def __init__(self, directory: Path) -> None:
        # Its banner must not mix with what the caller reads on stdout.
        self._process = subprocess.Popen(
            command(directory), start_new_session=True, stdout=sys.stderr
        )
        self._stop_wanted = False

    def stop_on(self, *signals: signal.Signals) -> None:
        """End Kamailio when this process gets one of the signals."""
        for number in signals:
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_wanted = True
        self._process.send_signal(signal.SIGTERM)

    def wait_until_ready(self, listeners: Sequence[Listener]) -> bool:
        """Wait until every listener answers; False when Kamailio ended or time ran out first."""
        deadline = time.monotonic() + START_DEADLINE_S
        silent = list(listeners)
        while silent and self._process.poll() is None and not self._stop_wanted:
            silent = [each for each in silent if not answers_options(each, PROBE_TIMEOUT_S)]
            if time.monotonic() > deadline:
                return False
            if silent:
                time.sleep(POLL_INTERVAL_S)
        return not silent

    def wait(self) -> int:
        """Wait for the end; return Kamailio's exit code, and leave no worker behind."""
        try:
            status = self._wait_for_exit()
        finally:
            self.kill_group()
        return status if status >= 0 else 128 - status

    def _wait_for_exit(self) -> int:
        while not self._stop_wanted:
            try:
                return self._process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue
        try:
            return self._process.wait(timeout=STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill_group()
            return self._process.wait()

    def give_up(self) -> int:
        """End a Kamailio that did not become ready; return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._stop_wanted = True
        return self.wait()

    def kill_group(self) -> None:
        """Kill whatever is left of the process group; there is nothing left as a rule."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
