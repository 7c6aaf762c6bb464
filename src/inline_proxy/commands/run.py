"""`inline-proxy run`: Kamailio in the foreground, for one configuration."""

import signal
import sys
import tempfile
from pathlib import Path

import click

from inline_proxy.busy_ports import busy
from inline_proxy.commands.configuration import EXIT_INVALID, config_argument, load_or_exit
from inline_proxy.commands.preparation import Rendered, render_or_exit
from inline_proxy.config.model import ProxyConfig
from inline_proxy.kamailio_process import KamailioProcess

NOT_STARTED = 1


@click.command("run")
@config_argument
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True, writable=True),
    help="Where the self-made certificate is kept from run to run.",
)
def run_command(config_path: Path, state_dir: Path | None) -> None:
    """Run Kamailio for CONFIG in the foreground, logs on stderr, until SIGTERM or SIGINT.

    Prints `ready` once every listener answers. Exits with Kamailio's exit code.
    """
    loaded = load_or_exit(config_path)
    with tempfile.TemporaryDirectory(prefix="inline-proxy-") as private:
        status = _run(loaded, Path(private), state_dir or Path(private))
    sys.exit(status)


def _run(config: ProxyConfig, directory: Path, state_directory: Path) -> int:
    rendered = render_or_exit(config, directory, state_directory)
    occupied = tuple(busy(rendered.listeners))
    if occupied:
        click.echo("\n".join(occupied), err=True)
        return EXIT_INVALID
    return _supervise(rendered, directory)


def _supervise(rendered: Rendered, directory: Path) -> int:
    process = KamailioProcess(directory)
    process.stop_on(signal.SIGTERM, signal.SIGINT)
    if process.wait_until_ready(rendered.listeners):
        click.echo("ready")
        sys.stdout.flush()
        return process.wait()
    return process.give_up() or NOT_STARTED
