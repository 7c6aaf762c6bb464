"""`inline-proxy render`: write every file that Kamailio needs."""

from pathlib import Path

import click

from inline_proxy.commands.configuration import config_argument, load_or_exit
from inline_proxy.commands.preparation import render_or_exit


@click.command("render")
@config_argument
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="The directory to write to; it is made when it is missing.",
)
def render_command(config_path: Path, output: Path) -> None:
    """Write every file Kamailio needs for CONFIG; nothing when CONFIG is invalid."""
    host = render_or_exit(load_or_exit(config_path), output)
    click.echo(f"{output}: rendered for kamailio {host.kamailio}")
