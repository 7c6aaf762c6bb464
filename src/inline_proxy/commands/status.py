"""`inline-proxy status`: how a running proxy is."""

import json
from pathlib import Path
from typing import Any, Final

import click

from inline_proxy.commands.running import runtime_option
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
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
    click.echo(json.dumps(status, indent=1) if as_json else "\n".join(_lines(status)))
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


def _lines(status: dict[str, Any]) -> list[str]:
    versions, calls = status["versions"], status["calls_in_progress"]
    runs = f"inline-proxy {versions['inline_proxy']}, kamailio {versions['kamailio'] or 'none'}"
    lines = [
        f"{status['health'].replace('_', ' ')}: {runs}",
        *(f"  problem: {problem}" for problem in status["problems"]),
    ]
    if status["draining"]:
        lines.append("draining: OPTIONS are answered 503; `inline-proxy undrain` ends it")
    if status["uptime_s"] is not None:
        lines.append(f"up for {status['uptime_s']} s")
    lines += [f"listening: {listener}" for listener in status["listeners"]]
    lines += [f"ClearIP site {site['uri']}: {site['state']}" for site in status["clearip_sites"]]
    if calls["setting_up"] is not None:
        lines.append(
            f"calls: {calls['setting_up']} being set up, {calls['conversations']} answered"
        )
    counted = status["counters"].get("calls", {})
    lines += [f"  {disposition}: {number}" for disposition, number in sorted(counted.items())]
    faults = status["counters"]["kamailio"]
    return lines + [f"  {what}: {number}" for what, number in sorted(faults.items())]
