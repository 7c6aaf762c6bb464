"""`inline-proxy trace`: the messages of calls as they pass, encrypted ones in plain text."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click

from inline_proxy.commands.running import runtime_option
from inline_proxy.lab.screen import Screen, coloured
from inline_proxy.tracing.screen import GrowingLadder, block
from inline_proxy.tracing.trace_server import LONGEST_S, TRACE_SOCKET
from inline_proxy.tracing.traced_message import TracedMessage

UNITS: Final = {"s": 1, "m": 60, "h": 3_600}
NOT_TRACED: Final = 1
ANSWER_S: Final = 10.0


def _seconds(_context: click.Context, _option: click.Parameter, value: str) -> int:
    """Read `30s`, `10m`, `1h`, up to an hour."""
    number, unit = value[:-1], value[-1:]
    if not number.isdigit() or unit not in UNITS or not 0 < int(number) * UNITS[unit] <= LONGEST_S:
        raise click.BadParameter("allowed: 30s, 10m, up to 1h")
    return int(number) * UNITS[unit]


@click.command("trace")
@click.argument("wanted", metavar="NUMBER|CALL-ID", required=False)
@click.option("--all", "everything", is_flag=True, help="Every call.")
@click.option(
    "--for",
    "for_s",
    metavar="TIME",
    callback=_seconds,
    default="10m",
    show_default=True,
    help="How long, at most 1h.",
)
@click.option("--export", metavar="HOST:PORT", help="Send HEPv3 there, to Homer or `sngrep -L`.")
@click.option("--ladder", "only_ladder", is_flag=True, help="No messages, the ladder alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per message.")
@runtime_option
def trace_command(  # noqa: PLR0913 - one parameter for each option
    *,
    wanted: str | None,
    everything: bool,
    for_s: int,
    export: str | None,
    only_ladder: bool,
    as_json: bool,
    runtime_dir: Path,
) -> None:
    """Show the messages of calls as they pass: of a number, of a Call-ID, or all.

    What is encrypted on its way is shown in plain text. Ends by itself, or with Ctrl-C.
    """
    if (wanted is None) != everything:
        raise click.UsageError("give a number or a Call-ID, or --all for every call")
    order = {"wanted": wanted, "for_s": for_s, "export": export}
    ladder, screen = GrowingLadder(), Screen.of_this_process()
    for message in _messages(runtime_dir / TRACE_SOCKET, order):
        if as_json:
            click.echo(json.dumps(message.to_json()))
        else:
            _show(message, ladder, screen, only_ladder=only_ladder)


def _show(
    message: TracedMessage, ladder: GrowingLadder, screen: Screen, *, only_ladder: bool
) -> None:
    heading = ladder.heading(message)
    if heading:
        screen.line(heading, bold=True)
    row = ladder.row(message)
    screen.line(coloured(row) if screen.colour else row.text)
    if not only_ladder:
        screen.line(block(message))


def _messages(path: Path, order: dict[str, Any]) -> Iterator[TracedMessage]:
    """Give an order, and yield what is seen; what else is said goes to stderr."""
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(str(path))
        except OSError as error:
            reason = f"{path}: {error.strerror}"
            click.echo(f"{reason}; is the proxy running, and are you root?", err=True)
            raise SystemExit(NOT_TRACED) from None
        connection.sendall(json.dumps(order).encode() + b"\n")
        lines = connection.makefile("rb")
        for line in lines:
            said = json.loads(line)
            if "error" in said:
                click.echo(said["error"], err=True)
                raise SystemExit(NOT_TRACED)
            if "until_s" in said:
                connection.settimeout(order["for_s"] + ANSWER_S)
                click.echo(f"tracing for {order['for_s']} s; Ctrl-C ends it", err=True)
            elif "ended" in said:
                missed = f"; {said['missed']} messages were missed" if said["missed"] else ""
                click.echo(f"{said['ended']}{missed}", err=True)
            else:
                yield TracedMessage.from_json(said["message"])
