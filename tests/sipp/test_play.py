"""Answers played by name, as a person does it: real Kamailio, real calls, a ladder for each."""

import subprocess
import sys

import pytest

from inline_proxy.paths import ROOT

pytestmark = pytest.mark.usefixtures("_own_network")
PLAYED = (
    "captcha",
    "identity-large-in-contact",
    "hostile-contact",
    "data-only",
    "blocked-by-analytics",
    "ringing-first",
)


def test_answers_are_played_by_name() -> None:
    """Each is drawn and goes as it must; `scripts/play all` plays the others."""
    played = subprocess.run(
        [
            *("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"),
            *(sys.executable, "-m", "inline_proxy.lab.play", *PLAYED),
        ],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert played.returncode == 0, played.stdout + played.stderr
    assert played.stdout.endswith(f"{len(PLAYED)} of {len(PLAYED)} went as they must.\n")
    headings = [line for line in played.stdout.splitlines() if "(+1" in line]
    assert [heading.split()[0] for heading in headings] == list(PLAYED)
    assert "carrier G" in played.stdout
    assert "603 Network Blocked" in played.stdout
    assert "302 Moved Temporarily" in played.stdout
