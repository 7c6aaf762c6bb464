"""The observer's process, as far as it can be had without Kamailio."""

import subprocess
import sys


def test_observer_loads_with_the_libraries_at_hand() -> None:
    """Those of both Debians among them: what fails to load leaves calls without records."""
    said = subprocess.run(
        [sys.executable, "-c", "import inline_proxy.observation.main"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.returncode, said.stderr) == (0, "")
