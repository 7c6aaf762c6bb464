"""The observer beside the proxy: what becomes of a stop."""

import sys
from pathlib import Path

from inline_proxy.observer_process import ObserverProcess
from unit.operator.waiting import wait_until

SLOW_TO_LISTEN = """
import pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / "began").touch()
deadline = time.monotonic() + 5
while signal.SIGTERM not in signal.sigpending() and time.monotonic() < deadline:
    time.sleep(0.01)
signal.signal(signal.SIGTERM, lambda *_: (folder / "ended well").touch())
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
"""


def test_stop_that_comes_before_it_is_listened_to_is_not_lost(tmp_path: Path) -> None:
    """An observer that still loads takes in what is left, rather than being killed by the stop."""
    with ObserverProcess([sys.executable, "-c", SLOW_TO_LISTEN, str(tmp_path)]):
        wait_until((tmp_path / "began").exists)

    assert (tmp_path / "ended well").exists()
