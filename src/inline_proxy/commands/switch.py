"""`inline-proxy switch`: another release of the proxy, or the old one if it does not work."""

import subprocess
import time
from pathlib import Path

import click

from inline_proxy.commands.preparation import refuse
from inline_proxy.installation import (
    SERVICE,
    Installation,
    NoSuchRelease,
    service_property,
    systemctl,
)

EXIT_RETURNED = 1
PROBATION_S = 4.0
"""How long a new release must stay up after its start; a crash at once is seen within."""
POLL_INTERVAL_S = 0.2


@click.command("switch")
@click.argument("release")
def switch(release: str) -> None:
    """Run RELEASE, one of those under /opt/inline-proxy/releases, from now on.

    Its health is checked after the start; when it is not well, the release before it is started
    again, and the exit code is 1. When the configuration does not suit it, nothing is changed,
    and the exit code is 2.
    """
    installation = Installation()
    before = installation.current_release
    _refuse_unfit(installation, release)
    if before == release and _runs(release):
        click.echo(f"{release} runs already")
        return
    installation.point_to(release)
    if _starts():
        click.echo(f"switched to {release}")
        return
    _go_back(installation, release, before)


def _refuse_unfit(installation: Installation, release: str) -> None:
    """Let the release itself judge the configuration that it is to run with."""
    try:
        source = installation.release(release) / "src"
    except NoSuchRelease as missing:
        refuse(str(missing))
    checked = subprocess.run(
        ["/usr/bin/python3", "-P", "-m", "inline_proxy", "check", installation.config],
        env={"PYTHONPATH": str(source), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode != 0:
        refuse(f"{release} cannot use this configuration:", checked.stderr.strip())


def _runs(release: str) -> bool:
    """Tell whether the service is up and is this release, and not one that was linked before."""
    pid = service_property("MainPID")
    if service_property("ActiveState") != "active" or pid in {"", "0"}:
        return False
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    wanted = f"PYTHONPATH=/opt/inline-proxy/releases/{release}/src"
    return wanted.encode() in environment


def _starts() -> bool:
    """Start anew; tell whether every listener answers and the service stays up for a while."""
    systemctl("reset-failed", SERVICE)
    if not systemctl("restart", SERVICE):
        return False
    pid = service_property("MainPID")
    until_s = time.monotonic() + PROBATION_S
    while time.monotonic() < until_s:
        if (service_property("ActiveState"), service_property("MainPID")) != ("active", pid):
            return False
        time.sleep(POLL_INTERVAL_S)
    return True


def _go_back(installation: Installation, release: str, before: str | None) -> None:
    """Start the release before again; say so, and where to read why."""
    why = f"its lines: journalctl -u {SERVICE}"
    if before is None or before == release:
        systemctl("stop", SERVICE)
        click.echo(f"{release} does not start, and there is none to go back to; {why}", err=True)
        raise SystemExit(EXIT_RETURNED)
    installation.point_to(before)
    is_up = _starts()
    became = "runs again" if is_up else "does not start either"
    click.echo(f"{release} does not start; {before} {became}; {why}", err=True)
    raise SystemExit(EXIT_RETURNED)
