"""`inline-proxy drain` and `undrain`: calls are to go to other nodes, and may come again."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from inline_proxy.commands.running import runtime_option
from inline_proxy.commands.status import current_status
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.observation.kamailio_figures import DRAINING, NODE
from inline_proxy.rendering import CONTROL_SOCKET

POLL_INTERVAL_S: Final = 0.5
NOT_DRAINED, NOT_RUNNING = 1, 3


@click.command("drain")
@click.option("--wait", "waits", is_flag=True, help="Return when no call is up any more.")
@click.option(
    "--attempts-only",
    is_flag=True,
    help="With --wait: for calls being set up alone, where other nodes take requests in dialogs.",
)
@click.option(
    "--timeout", "timeout_s", metavar="SECONDS", type=float, help="With --wait: no longer."
)
@runtime_option
def drain_command(
    *, waits: bool, attempts_only: bool, timeout_s: float | None, runtime_dir: Path
) -> None:
    """Have calls go to other nodes: OPTIONS are answered 503, running calls go on.

    Calls that come all the same are taken. A restart ends it, as `undrain` does. Exits with 1
    when calls are up after the timeout, and with 3 when no proxy runs.
    """
    _tell(runtime_dir, ("htable.seti", NODE, DRAINING, 1))
    click.echo("draining: OPTIONS are answered 503")
    if waits and not is_empty(lambda: current_status(runtime_dir, ""), timeout_s, attempts_only):
        click.echo("calls are still up", err=True)
        sys.exit(NOT_DRAINED)
    if waits:
        click.echo(
            "drained: no call is being set up" if attempts_only else "drained: no call is up"
        )


@click.command("undrain")
@runtime_option
def undrain_command(*, runtime_dir: Path) -> None:
    """Have calls come again; exits with 3 when no proxy runs."""
    _tell(runtime_dir, ("htable.seti", NODE, DRAINING, 0))
    click.echo("OPTIONS are answered 200 again")


def _tell(runtime_dir: Path, order: tuple[str | int, ...]) -> None:
    method, *parameters = order
    try:
        KamailioRpc(runtime_dir / CONTROL_SOCKET).call(str(method), *parameters)
    except (KamailioUnreachable, RpcRefused) as refused:
        click.echo(str(refused), err=True)
        sys.exit(NOT_RUNNING)


def is_empty(
    ask: Callable[[], dict[str, Any]],
    timeout_s: float | None,
    attempts_only: bool,  # noqa: FBT001 - as click names it
    interval_s: float = POLL_INTERVAL_S,
) -> bool:
    """Wait until no call is up, and tell whether that came to pass in time.

    Where no observer runs nobody knows of calls: they are taken to be up.
    """
    ends = None if timeout_s is None else time.monotonic() + timeout_s
    while calls_up(ask(), attempts_only=attempts_only):
        if ends is not None and time.monotonic() >= ends:
            return False
        time.sleep(interval_s)
    return True


def calls_up(status: dict[str, Any], *, attempts_only: bool) -> bool:
    """Tell whether a status names calls that an end of the node would hurt, or knows of none."""
    calls = status["calls_in_progress"]
    counted = [calls["setting_up"], *([] if attempts_only else [calls["conversations"]])]
    return any(number is None or number > 0 for number in counted)
