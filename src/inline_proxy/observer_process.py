"""The observer beside a running proxy: started again whenever it ends, and ended after it.

Nothing of it reaches the calls: what Kamailio tells waits in the spool meanwhile.
"""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
STEADY_S: Final = 30.0
"""Having run for so long, it is started again at once."""
STOP_DEADLINE_S: Final = 8.0
POLL_INTERVAL_S: Final = 0.2


def command(config_path: Path, state: Path, runtime: Path) -> list[str]:
    """Return the command line; `setpriv` ends the observer if this process is killed."""
    places = ["--state-dir", str(state), "--runtime-dir", str(runtime)]
    observe = [sys.executable, "-P", "-m", "inline_proxy", "observe", str(config_path), *places]
    return ["setpriv", "--pdeathsig", "TERM", *observe]


class ObserverProcess:
    """Keeps an observer running, from a thread of its own."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._stop_wanted = threading.Event()
        self._thread = threading.Thread(target=self._keep_running, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Let it take in what is left, and wait for its end."""
        self._stop_wanted.set()
        self._thread.join()

    def _keep_running(self) -> None:
        # An observer inherits it, and lifts it when it can end in order: what ends it while it is
        # still starting must not cost the record of a call that was cut off.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        pause_s = FIRST_PAUSE_S
        while not self._stop_wanted.is_set():
            began_s = time.monotonic()
            self._run_once()
            pause_s = (
                FIRST_PAUSE_S
                if time.monotonic() - began_s > STEADY_S
                else min(2 * pause_s, LONGEST_PAUSE_S)
            )
            self._stop_wanted.wait(pause_s)

    def _run_once(self) -> None:
        """Run it to its end, or to the end of this thread.

        A session of its own: what a terminal sends to the proxy must not end it first.
        """
        process = self._start()
        while process.poll() is None:
            if self._stop_wanted.wait(POLL_INTERVAL_S):
                process.terminate()
                _reap(process)

    def _start(self) -> "subprocess.Popen[bytes]":
        """Start it with SIGTERM blocked, which it unblocks when it can heed it.

        A stop that comes while it still loads its libraries then waits for it: else calls that
        were cut off would be recorded at the next start only.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            return subprocess.Popen(
                self._command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=sys.stderr
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _reap(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
