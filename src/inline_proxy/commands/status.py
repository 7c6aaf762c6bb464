"""`inline-proxy status`: how a running proxy is."""

import json
from pathlib import Path
from typing import Any, Final

import click

from inline_proxy.commands.running import runtime_option
from inline_proxy.commands.status_lines import lines
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.lab.screen import Screen
from inline_proxy.observation.health import Health, status_of
from inline_proxy.observation.kamailio_figures import look
from inline_proxy.observation.status_query import ask_http, ask_socket
from inline_proxy.rendering import CONTROL_SOCKET

EXIT_CODES: Final = {Health.HEALTHY: 0, Health.DEGRADED: 1, Health.NOT_RUNNING: 3}


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object.")
@runtime_option
@click.option(
    "--admin",
    metavar="ADDRESS:PORT",
    default="127.0.0.1:8080",
    show_default=True,
    help="Its admin.listen, asked where it has no such directory.",
)
def status_command(*, as_json: bool, runtime_dir: Path, admin: str) -> None:
    """Say how the running proxy is: 0 healthy, 1 degraded, 3 not running."""
    status = current_status(runtime_dir, admin)
    screen = Screen.of_this_process()
    text = (
        json.dumps(status, indent=1) if as_json else "\n".join(lines(status, colour=screen.colour))
    )
    click.echo(text, color=screen.colour)
    raise SystemExit(EXIT_CODES[Health(status["health"])])


def current_status(runtime_dir: Path, admin: str) -> dict[str, Any]:
    """Ask the observer; where none answers, Kamailio itself."""
    answer = ask_socket(runtime_dir) if runtime_dir.is_dir() else ask_http(admin)
    if answer is not None:
        return answer
    try:
        kamailio = look(KamailioRpc(runtime_dir / CONTROL_SOCKET))
    except (KamailioUnreachable, RpcRefused):
        kamailio = None
    return status_of((), kamailio, None)
