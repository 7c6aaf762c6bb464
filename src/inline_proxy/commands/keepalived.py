"""`inline-proxy keepalived`: show what keepalived needs for a pair."""

from pathlib import Path

import click

from inline_proxy.commands.configuration import config_argument, load_or_exit
from inline_proxy.commands.preparation import refuse
from inline_proxy.floating_address import INSTALLED, NodeFiles, NotAPair, keepalived_conf


@click.command("keepalived")
@config_argument
@click.option(
    "--check",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=INSTALLED.check,
    help="The program that tells whether the node works.",
)
@click.option(
    "--runtime-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=INSTALLED.runtime,
    show_default=True,
    help="The running proxy's directory.",
)
@click.option("--user", default=INSTALLED.user, show_default=True, help="Who runs the check.")
def keepalived_command(config_path: Path, check: Path, runtime_dir: Path, user: str) -> None:
    """Print /etc/keepalived/keepalived.conf of the node that CONFIG describes."""
    config = load_or_exit(config_path)
    try:
        click.echo(keepalived_conf(config, NodeFiles(check, runtime_dir, user)), nl=False)
    except NotAPair as missing:
        refuse(str(missing))
