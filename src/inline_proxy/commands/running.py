"""Where commands find the running proxy."""

from pathlib import Path
from typing import Final

import click

RUNTIME_DIRECTORY: Final = Path("/run/inline-proxy")
runtime_option = click.option(
    "--runtime-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=RUNTIME_DIRECTORY,
    show_default=True,
    help="The running proxy's directory.",
)
