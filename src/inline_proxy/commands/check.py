"""`inline-proxy check`: says whether a configuration is valid."""

from pathlib import Path

import click

from inline_proxy.commands.configuration import config_argument, load_or_exit


@click.command()
@config_argument
def check(config_path: Path) -> None:
    """Validate CONFIG; name every fault, each on a line of its own."""
    load_or_exit(config_path)
    click.echo(f"{config_path}: valid")
