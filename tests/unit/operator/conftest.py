"""Stand-ins for the host: a Kamailio of the test's own making."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)


@pytest.fixture
def install_kamailio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a Python program before every other `kamailio` on PATH."""

    def install(program: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        executable = folder / "kamailio"
        executable.write_text(f"#!{sys.executable}\nimport sys\n{program}\n")
        executable.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return executable

    return install


@pytest.fixture
def _own_signals() -> Iterator[None]:
    """What the test makes of signals ends with it."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)
