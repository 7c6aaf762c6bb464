"""What `render` and `run` need besides a valid configuration: this host."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from inline_proxy.commands.configuration import EXIT_INVALID
from inline_proxy.config.model import ProxyConfig
from inline_proxy.kamailio_version import KamailioMissing, KamailioVersion, installed_version
from inline_proxy.listeners import Listener, NoSuchInterface, interface_addresses, listeners
from inline_proxy.rendering import NoSystemAuthorities, certificate_files, render


class Rendered(NamedTuple):
    """What was rendered."""

    listeners: tuple[Listener, ...]
    version: KamailioVersion


def render_or_exit(
    config: ProxyConfig, directory: Path, state_directory: Path | None = None
) -> Rendered:
    """Render for this host; say what it lacks and exit 2 when that cannot be done.

    The certificate that the proxy makes itself lies in the state directory, if one is given.
    """
    with _explained():
        sockets = listeners(config.listen, interface_addresses())
        version = installed_version()
        own_pair = certificate_files(config, state_directory or directory, sockets)
        render(config, directory, sockets, version, own_pair)
    return Rendered(sockets, version)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except NoSuchInterface as fault:
        _refuse(f"listen.addresses: {fault}")
    except (KamailioMissing, NoSystemAuthorities) as fault:
        _refuse(str(fault))
    except OSError as fault:
        _refuse(f"{fault.filename}: cannot be written: {fault.strerror}")


def _refuse(sentence: str) -> None:
    click.echo(sentence, err=True)
    sys.exit(EXIT_INVALID)
