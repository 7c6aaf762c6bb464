"""`inline-proxy support-bundle`: what somebody who helps needs to see, in one archive."""

from datetime import UTC, datetime
from pathlib import Path

import click

from inline_proxy.commands.calls import LOGS
from inline_proxy.commands.running import RUNTIME_DIRECTORY
from inline_proxy.commands.status import current_status
from inline_proxy.installation import Installation
from inline_proxy.support.archive import write_archive
from inline_proxy.support.contents import Sources, parts

DIRECTORY = click.Path(path_type=Path, file_okay=False)
NOT_WRITTEN = 1


@click.command("support-bundle")
@click.argument(
    "config_path",
    metavar="[CONFIG]",
    type=click.Path(path_type=Path),
    default=Installation().config,
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it; a new file in the working directory otherwise.",
)
@click.option("--mask", is_flag=True, help="Of numbers in records, the last four digits alone.")
@click.option("--runtime-dir", type=DIRECTORY, default=RUNTIME_DIRECTORY, show_default=True)
@click.option("--state-dir", type=DIRECTORY, default=Installation().state, show_default=True)
@click.option("--dir", "logs", type=DIRECTORY, default=LOGS, show_default=True)
@click.option("--admin", metavar="ADDRESS:PORT", default="127.0.0.1:8080", show_default=True)
def support_bundle_command(  # noqa: PLR0913 - one parameter for each option
    *,
    config_path: Path,
    output: Path | None,
    mask: bool,
    runtime_dir: Path,
    state_dir: Path,
    logs: Path,
    admin: str,
) -> None:
    """Collect configuration, versions, status, records and log, without keys and passwords.

    Prints what is inside. Records and log hold telephone numbers: see to who gets it.
    """
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = output or Path(f"inline-proxy-support-{moment}.tar.gz")
    status = lambda: current_status(runtime_dir, admin)  # noqa: E731 - asked when it is its turn
    found = parts(Sources(config_path, runtime_dir, state_dir, logs, status), mask_numbers=mask)
    try:
        write_archive(path, found)
    except OSError as error:
        click.echo(f"{path}: {error.strerror}; give another file with -o", err=True)
        raise SystemExit(NOT_WRITTEN) from None
    click.echo(f"{path}:")
    for name, text in found.items():
        click.echo(f"  {name:<28} {len(text.encode(errors='replace')):>10} bytes")
