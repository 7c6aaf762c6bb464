"""`inline-proxy apply`: the installed service takes over a changed configuration.

Root asks; the service's own user does the work, inside the service's own confinement
(`systemctl reload`), so that nothing of root's meets what that user could have prepared.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from inline_proxy.certificates import write_atomically
from inline_proxy.commands.preparation import refuse
from inline_proxy.installation import (
    PACKET_FILTER_SERVICE,
    SERVICE,
    USER,
    Installation,
    service_property,
    systemctl,
)

NOT_DONE = 1
RESTART = "restart: "
NOTHING = "nothing to do"


@click.command("apply")
@click.option("--yes", is_flag=True, help="Restart without asking, where that is needed.")
@click.option("--rollback", is_flag=True, help="Go back to the configuration before the last one.")
def apply_command(*, yes: bool, rollback: bool) -> None:
    """Have the installed service follow /etc/inline-proxy/config.yaml.

    What can be reloaded is reloaded, and no call notices. Listeners and worker counts need a
    restart, which is announced and asked for. A configuration that does not work changes nothing.
    """
    installation = Installation()
    _require_root_and_service()
    if rollback:
        _bring_back(installation, installation.previous_config)
    todo = _plan()
    if not todo:
        click.echo(f"{NOTHING}: the service runs with this configuration")
        return
    reasons = [line.removeprefix(RESTART) for line in todo if line.startswith(RESTART)]
    click.echo("\n".join(todo))
    if reasons:
        _restart(installation, yes=yes)  # and the packet filter with it
    elif not systemctl("reload", SERVICE):
        _give_up(f"the reload failed; why: journalctl -u {SERVICE} -n 20")
    _reload_packet_filter()
    click.echo("restarted" if reasons else "reloaded; no call was touched")


def _require_root_and_service() -> None:
    if os.geteuid() != 0:
        refuse("apply changes the installed service: run it as root")
    if service_property("ActiveState") != "active":
        refuse(f"the service does not run; start it: systemctl start {SERVICE}")


def _reload_packet_filter() -> None:
    """Let in who is trusted by now; nothing on a host that goes without the filter."""
    is_on = service_property("ActiveState", PACKET_FILTER_SERVICE) == "active"
    if is_on and not systemctl("reload", PACKET_FILTER_SERVICE):
        _give_up(f"the packet filter stays as it was; why: journalctl -u {PACKET_FILTER_SERVICE}")


def _plan() -> list[str]:
    """Let the service's user say what is to do, a line each; leave with its code when it cannot."""
    asked = [sys.executable, "-P", "-m", "inline_proxy", "plan"]
    said = subprocess.run(
        asked,
        user=USER,
        group=USER,
        extra_groups=[],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if said.returncode != 0:
        raise SystemExit(said.returncode)
    return said.stdout.splitlines()


def _restart(installation: Installation, *, yes: bool) -> None:
    if not yes and not click.confirm("This ends calls that are being set up. Restart?"):
        _give_up("nothing was changed")
    if systemctl("restart", SERVICE):
        return
    refused = installation.config.with_suffix(".yaml.refused")
    shutil.copy2(installation.config, refused)
    _bring_back(installation, installation.running_config)
    systemctl("reset-failed", SERVICE)
    is_up = systemctl("restart", SERVICE)
    became = "runs again" if is_up else "does not start either"
    _give_up(f"the service does not start with it (now {refused}); the one before {became}")


def _bring_back(installation: Installation, kept: Path) -> None:
    """Make a kept configuration the operator's, with the owner and rights of the file there."""
    if not kept.exists():
        refuse(f"there is no configuration to go back to ({kept})")
    there = installation.config.stat()
    write_atomically(installation.config, kept.read_bytes(), there.st_mode & 0o777)
    os.chown(installation.config, there.st_uid, there.st_gid)


def _give_up(why: str) -> None:
    click.echo(why, err=True)
    raise SystemExit(NOT_DONE)
