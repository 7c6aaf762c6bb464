"""`inline-proxy log-level`: how much the running proxy logs."""

from pathlib import Path

import click

from inline_proxy.commands.running import runtime_option
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.log_level import LogLevel, change_level, current_level
from inline_proxy.rendering import CONTROL_SOCKET

NOT_CHANGED = 1
NAMES = [level.name.lower() for level in LogLevel]


@click.command("log-level")
@click.argument("level", required=False, type=click.Choice(NAMES))
@runtime_option
def log_level_command(level: str | None, runtime_dir: Path) -> None:
    """Say what is logged, or log LEVEL and what is more urgent until the next start.

    A decision on a call is a notice.
    """
    kamailio = KamailioRpc(runtime_dir / CONTROL_SOCKET)
    try:
        if level is not None:
            change_level(kamailio, LogLevel[level.upper()])
        now = current_level(kamailio)
    except (KamailioUnreachable, RpcRefused) as refused:
        click.echo(f"{refused}; is the proxy running, and are you root?", err=True)
        raise SystemExit(NOT_CHANGED) from None
    click.echo(LogLevel(min(now, LogLevel.DEBUG)).name.lower())
