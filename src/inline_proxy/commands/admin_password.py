"""`inline-proxy admin-password NAME FILE`."""

import os
from pathlib import Path

import click

from inline_proxy.passwords import with_user

PRIVATE = 0o640


@click.command("admin-password")
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.password_option(help="Asked for when it is not piped in: a command line is no secret.")
def admin_password_command(name: str, file: Path, password: str) -> None:
    """Write a user of the status page, and a hash of the password, into FILE.

    Give the file as `admin.password_file`. A user who is there already gets the new password.
    """
    if ":" in name or not name.isprintable() or not name:
        raise click.BadParameter("a name without colon is needed", param_hint="NAME")
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    fresh = file.with_name(f".{file.name}.new")
    with open(fresh, "w", encoding="utf-8", opener=_private) as written:
        written.write(with_user(text, name, password))
    fresh.replace(file)
    click.echo(f"{name} may log in, once admin.password_file is {file.resolve()}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)
