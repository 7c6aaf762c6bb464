"""The process beside the proxy that keeps records: how it is started and ended."""

import sys
from pathlib import Path

from inline_proxy.observer_process import ObserverProcess
from sipp.waiting import wait_until

STILL_STARTING = """
import signal, sys, time
from pathlib import Path

place = Path(sys.argv[1])
(place / "started").touch()
while signal.SIGTERM not in signal.sigpending():
    time.sleep(0.01)
(place / "ended in order").touch()
"""


def test_end_during_its_start_waits_until_it_can_end_in_order(tmp_path: Path) -> None:
    """Python takes a second to start; a call cut off in it has its record all the same."""
    observer = ObserverProcess([sys.executable, "-c", STILL_STARTING, str(tmp_path)])

    with observer:
        wait_until((tmp_path / "started").exists, "it has begun to start")

    assert (tmp_path / "ended in order").exists()
