"""What `inline-proxy apply` and `systemctl reload` have the service's own user do."""

import click

from inline_proxy.commands.apply import NOT_DONE, RESTART
from inline_proxy.commands.configuration import load_or_exit
from inline_proxy.commands.preparation import explained, refuse, this_host
from inline_proxy.config.model import ProxyConfig
from inline_proxy.installation import Installation
from inline_proxy.reload_plan import Plan
from inline_proxy.running_proxy import Unfit, carry_out, planned


@click.command("plan")
def plan_command() -> None:
    """Say what `apply` would reload or restart, a line each; nothing where nothing is to do."""
    installation = Installation()
    todo = _planned(load_or_exit(installation.config), installation)
    for each in todo.reloads:
        click.echo(f"reload: {each}")
    for each in todo.restarts:
        click.echo(f"{RESTART}{each}")


@click.command("reload", hidden=True)
def reload_command() -> None:
    """Reload what can be reloaded; refuse, and change nothing, where a restart is needed."""
    installation = Installation()
    text = installation.config.read_bytes()
    todo = _planned(load_or_exit(installation.config), installation)
    if todo.restarts:
        reasons = "; ".join(todo.restarts)
        click.echo(
            f"nothing was changed: this needs a restart ({reasons}): inline-proxy apply", err=True
        )
        raise SystemExit(NOT_DONE)
    try:
        carry_out(todo, installation)
    except Unfit as unfit:
        click.echo(str(unfit), err=True)
        raise SystemExit(NOT_DONE) from unfit
    installation.keep(text)
    click.echo(f"reloaded: {'; '.join(todo.reloads) or 'nothing has changed'}")


def _planned(config: ProxyConfig, installation: Installation) -> Plan:
    with explained(installation.runtime):
        try:
            return planned(config, this_host(config), installation)
        except Unfit as unfit:
            refuse(str(unfit))
