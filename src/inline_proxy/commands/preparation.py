"""What `render` and `run` need besides a valid configuration: this host."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from inline_proxy.commands.configuration import EXIT_INVALID
from inline_proxy.config.model import ProxyConfig
from inline_proxy.kamailio_version import KamailioMissing, installed_version
from inline_proxy.listeners import NoSuchListener, interface_addresses, listeners
from inline_proxy.packet_filter import service_user_id
from inline_proxy.rendering import CannotRender, Host, render
from inline_proxy.sending_addresses import interfaces, kernel_passes_over
from inline_proxy.workers import processors


def render_or_exit(
    config: ProxyConfig, directory: Path, state_directory: Path | None = None
) -> Host:
    """Render for this host; say what it lacks and exit 2 when that cannot be done.

    The certificate that the proxy makes itself lies in the state directory, if one is given.
    """
    with explained(directory):
        host = this_host(config)
        render(config, host, directory, state_directory)
    return host


def this_host(config: ProxyConfig) -> Host:
    """Look at this host; raises `NoSuchListener` and `KamailioMissing`."""
    opened = listeners(config.listen, interface_addresses())
    addresses = interfaces()
    return Host(
        opened,
        installed_version(),
        service_user_id(),
        processors(),
        kernel_passes_over(opened, addresses),
        addresses,
    )


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Say in a sentence what this host lacks, and exit 2."""
    try:
        yield
    except (NoSuchListener, KamailioMissing, CannotRender) as fault:
        refuse(str(fault))
    except OSError as fault:
        refuse(f"{fault.filename or directory}: cannot be written: {fault.strerror}")


def refuse(*sentences: str) -> NoReturn:
    """Say why nothing was done, a line per reason, and exit 2."""
    click.echo("\n".join(sentences), err=True)
    raise SystemExit(EXIT_INVALID)
