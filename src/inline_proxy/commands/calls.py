"""`inline-proxy calls`: find call records, print them, follow them."""

import csv
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from inline_proxy.commands.call_lines import COLUMNS, heading, line, row
from inline_proxy.lab.screen import Screen
from inline_proxy.observation.record_choice import Choice, masked
from inline_proxy.observation.record_file import FILE_NAME, files_of, records_in

LOGS: Final = Path("/var/log/inline-proxy")
POLL_INTERVAL_S: Final = 0.5
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
NOT_READ: Final = 1


def _since(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Read `30m`, `2h`, or a time in ISO 8601; return it as records hold times."""
    if value is None:
        return None
    if value[:-1].isdigit() and value[-1] in UNITS:
        moment = datetime.now(UTC) - timedelta(**{UNITS[value[-1]]: int(value[:-1])})
    else:
        try:
            moment = datetime.fromisoformat(value).astimezone(UTC)
        except ValueError:
            raise click.BadParameter("allowed: 30s, 10m, 2h, 7d, or a time in ISO 8601") from None
    return moment.isoformat(timespec="microseconds")


@click.command("calls")
@click.option("--since", callback=_since, help="Begun since then: 30s, 10m, 2h, 7d, or ISO 8601.")
@click.option("--call-id", help="With this Call-ID.")
@click.option("--number", help="From or to a number that ends with these digits.")
@click.option("--failed", is_flag=True, help="Without an answer, though nobody gave up.")
@click.option("--blocked", is_flag=True, help="Blocked by ClearIP.")
@click.option("--json", "as_json", is_flag=True, help="Whole records, one per line.")
@click.option("--csv", "as_csv", is_flag=True, help="A table for a spreadsheet.")
@click.option("--mask", is_flag=True, help="Show the last four digits of numbers alone.")
@click.option("--follow", is_flag=True, help="Go on with what is recorded from now on.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=LOGS,
    show_default=True,
    help="Where calls.jsonl lies; for `run`, its --state-dir.",
)
def calls_command(  # noqa: PLR0913 - one parameter for each option
    *,
    since: str | None,
    call_id: str | None,
    number: str | None,
    failed: bool,
    blocked: bool,
    as_json: bool,
    as_csv: bool,
    mask: bool,
    follow: bool,
    directory: Path,
) -> None:
    """Print the records of calls, the oldest first; times are this host's."""
    choice = Choice(since, call_id, number, only_failed=failed, only_blocked=blocked)
    if not os.access(directory, os.R_OK | os.X_OK):
        reason = "is not there" if not directory.is_dir() else "cannot be read: are you root?"
        click.echo(f"{directory} {reason}; give --dir where the records lie elsewhere", err=True)
        raise SystemExit(NOT_READ)
    screen, printed = Screen.of_this_process(), 0
    table = csv.DictWriter(sys.stdout, COLUMNS)
    if as_csv:
        table.writeheader()
    for record in _records(directory / FILE_NAME, choice, follow=follow):
        if record not in choice:
            continue
        shown = masked(record) if mask else record
        if as_json:
            click.echo(json.dumps(shown, separators=(",", ":")))
        elif as_csv:
            table.writerow(row(shown))
        else:
            if screen.terminal and not printed:
                screen.line(heading(), bold=True)
            click.echo(line(shown, colour=screen.colour), color=screen.colour)
        printed += 1
    if not printed:
        click.echo(f"no such call in {directory / FILE_NAME}", err=True)


def _records(path: Path, choice: Choice, *, follow: bool) -> Iterator[dict[str, Any]]:
    """Yield every record that may be wanted, and those that are written later, when followed."""
    for file in files_of(path):
        if file != path and not _is_older(file, choice.since):
            with file.open("rb") as lines:
                yield from records_in(filter(choice.may_hold, lines))
    while True:
        if path.exists():
            with path.open("rb") as current:
                for told in _of_one_file(current, path, follow=follow):
                    yield from records_in(filter(choice.may_hold, told))
        if not follow:
            return
        _pause()


def _is_older(file: Path, since: str | None) -> bool:
    """Tell whether a file was written to its end before a time, so that no call in it is later."""
    return since is not None and file.stat().st_mtime < datetime.fromisoformat(since).timestamp()


def _of_one_file(current: BinaryIO, path: Path, *, follow: bool) -> Iterator[list[bytes]]:
    """Yield the lines of a file to its end; when followed, until another one stands in its place.

    What was written before it was rotated away is read first.
    """
    while True:
        is_last_look = not follow or not _is_at(path, current)
        begin = current.tell()
        data = current.read()
        whole = data[: data.rfind(b"\n") + 1]
        current.seek(begin + len(whole))
        yield whole.splitlines()
        if is_last_look:
            return
        _pause()


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


def _pause() -> None:
    sys.stdout.flush()
    time.sleep(POLL_INTERVAL_S)
