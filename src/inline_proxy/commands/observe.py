"""`inline-proxy observe`: keep records and figures of a running proxy; `run` starts it."""

import asyncio
import logging
import os
import signal
from pathlib import Path

import click

from inline_proxy.commands.configuration import config_argument, load_or_exit
from inline_proxy.commands.preparation import explained


@click.command("observe", hidden=True)
@config_argument
@click.option("--state-dir", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--runtime-dir", required=True, type=click.Path(path_type=Path, file_okay=False))
def observe_command(config_path: Path, state_dir: Path, runtime_dir: Path) -> None:
    """Read what Kamailio tells of calls; write records, serve metrics and status."""
    # The HTTP server's library takes longer to load than all other commands to run.
    from inline_proxy.observation.main import observe  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="observer: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's; the proxy ends first
    config = load_or_exit(config_path)
    logs = os.environ.get("LOGS_DIRECTORY")  # of a service, set by systemd
    with explained(state_dir):
        asyncio.run(observe(config, state_dir, runtime_dir, Path(logs) if logs else state_dir))
