"""Kamailio in the foreground: started, watched until it answers, ended without a trace."""

import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from itertools import dropwhile
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from inline_proxy.kamailio_environment import kamailio_environment
from inline_proxy.kamailio_log import KamailioLog, MaskSetting
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.listeners import Listener, is_held
from inline_proxy.rendering import CONTROL_SOCKET, POLICY
from inline_proxy.shared_memory import host_memory_bytes, shared_memory_mb
from inline_proxy.sip_probe import answers_options

WORKER_MEMORY_MB = 16
LOG_PATIENCE_S = 2.0
"""Longer than what Kamailio has said at its end takes to be written on."""
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 10.0
STOP_REMINDER_S = 1.0
PROBE_TIMEOUT_S = 1.0
"""A socket that is bound keeps a question until there is a worker to answer it."""
POLL_INTERVAL_S = 0.05


def command(directory: Path) -> list[str]:
    """Return the command line that runs a rendered directory.

    The TLSF allocator: the default one spends a third of a call's cost searching free lists
    once a Python heap shares the process. `setpriv` ends Kamailio if this process is killed.
    """
    shared, own = shared_memory_mb(host_memory_bytes()), WORKER_MEMORY_MB
    memory = ["-m", str(shared), "-M", str(own), "-x", "tlsf", "-X", "tlsf"]
    # Kamailio 6 wants a runtime directory of its own, and /run may not be writable.
    files = ["-f", str(directory / "kamailio.cfg"), "-Y", str(directory)]
    return ["setpriv", "--pdeathsig", "TERM", "kamailio", *files, "-DD", "-E", *memory]


class KamailioProcess:
    """One running Kamailio and all its workers; none of them outlives the `with` block."""

    def __init__(self, directory: Path) -> None:
        self._log = KamailioLog.begin(MaskSetting(directory / POLICY))
        # Its banner must not mix with what the caller reads on stdout.
        self._process = subprocess.Popen(
            command(directory),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=self._log.written_to,
            env=kamailio_environment(),
        )
        self._log.is_given()
        self._rpc = KamailioRpc(directory / CONTROL_SOCKET, PROBE_TIMEOUT_S)
        self.stop_wanted = False
        self._killed_at_s = math.inf
        self._pulse_s: float | None = None
        self._on_pulse: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.wait()

    def stop_on(self, signals: Iterable[signal.Signals]) -> None:
        """End Kamailio when this process gets one of the signals."""
        for number in signals:
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop_wanted = True
        self.stop()

    def every(self, interval_s: float, call: Callable[[], None]) -> None:
        """Call something again and again while `wait` waits; `interval_s` is what lies between."""
        self._pulse_s, self._on_pulse = interval_s, call

    def stop(self) -> None:
        """Ask Kamailio to end; when its time is over, whatever is left of it is killed.

        Meanwhile all of it is reminded: workers that were just being forked have missed what
        the main process told them, and it waits for them.
        """
        if self._process.returncode is not None:
            return
        os.kill(self._process.pid, signal.SIGTERM)
        self._killed_at_s = min(self._killed_at_s, time.monotonic() + STOP_DEADLINE_S)
        signal.signal(signal.SIGALRM, self._on_reminder)
        signal.setitimer(signal.ITIMER_REAL, STOP_REMINDER_S, STOP_REMINDER_S)

    def _on_reminder(self, _number: int, _frame: FrameType | None) -> None:
        is_over = time.monotonic() >= self._killed_at_s
        self._signal_group(signal.SIGKILL if is_over else signal.SIGTERM)

    def silent_after_start(self, listeners: Iterable[Listener]) -> tuple[Listener, ...]:
        """Wait until every listener answers; return those that do not.

        Some do not when Kamailio ends, is told to end, or takes longer than the deadline.
        """
        deadline = time.monotonic() + START_DEADLINE_S
        silent = tuple(listeners)
        while silent and self.is_running and not self.stop_wanted:
            silent = tuple(dropwhile(self._answers, silent))
            if time.monotonic() > deadline:
                break
            if silent:
                time.sleep(POLL_INTERVAL_S)
        return silent

    def answers_anywhere(self, listeners: Iterable[Listener]) -> bool:
        """Whether Kamailio lives: an address that has left the host does not count against it."""
        return any(map(self._answers, listeners))

    def _answers(self, listener: Listener) -> bool:
        """Ask a listener; where its address is on another host now, Kamailio by its RPC."""
        if listener.is_floating and not is_held(listener.address):
            return self._answers_rpc()
        return answers_options(listener, PROBE_TIMEOUT_S)

    def _answers_rpc(self) -> bool:
        try:
            self._rpc.call("core.uptime")
        except (KamailioUnreachable, RpcRefused):
            return False
        return True

    @property
    def is_running(self) -> bool:
        """Whether Kamailio's main process lives."""
        return self._process.returncode is None and not self._has_ended()

    def wait(self) -> int:
        """Wait for the end; return Kamailio's exit code, and leave no worker behind."""
        if self._process.returncode is None:
            self._wait_for_end()
            self._signal_group(signal.SIGKILL)
        signal.setitimer(signal.ITIMER_REAL, 0)
        status = self._process.wait()
        self._log.end(LOG_PATIENCE_S)
        return status if status >= 0 else 128 - status

    def _wait_for_end(self) -> None:
        """Wait in a way that no signal can slip by.

        One that comes just before a system call blocks is only marked: its handler would run
        when the call returns, which is at the end of a Kamailio that nobody told to end.
        """
        ended = os.pidfd_open(self._process.pid)
        signalled, wake_up = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_up, warn_on_full_buffer=False)
        try:
            while not self._has_ended():
                woken, _, _ = select.select([ended, signalled], [], [], self._pulse_s)
                if signalled in woken:
                    os.read(signalled, select.PIPE_BUF)
                elif not woken:
                    self._on_pulse()
        finally:
            signal.set_wakeup_fd(-1)
            for descriptor in (ended, signalled, wake_up):
                os.close(descriptor)

    def _has_ended(self) -> bool:
        """Look for the end without taking note of it, so that the id stays this process's own."""
        how = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return os.waitid(os.P_PID, self._process.pid, how) is not None

    def _signal_group(self, number: signal.Signals) -> None:
        """Signal what is left of the process group: nothing but the main process, as a rule."""
        os.killpg(self._process.pid, number)
