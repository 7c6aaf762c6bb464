"""What every command does with its CONFIG: load it, or say what is wrong and end."""

from pathlib import Path
from typing import Final

import click

from inline_proxy.config import ConfigInvalid, ProxyConfig, load_config

EXIT_INVALID: Final = 2

config_argument = click.argument("config_path", metavar="CONFIG", type=click.Path(path_type=Path))


def load_or_exit(config_path: Path) -> ProxyConfig:
    """The configuration; where it is invalid, every fault goes to stderr and the exit code is 2."""
    try:
        return load_config(config_path)
    except ConfigInvalid as invalid:
        click.echo(str(invalid), err=True)
        raise SystemExit(EXIT_INVALID) from None
