"""`inline-proxy run`: Kamailio in the foreground, for one configuration."""

import signal
import sys
import tempfile
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import click

from inline_proxy.advertised_name import unresolved
from inline_proxy.busy_ports import busy
from inline_proxy.commands.configuration import config_argument, load_or_exit
from inline_proxy.commands.preparation import explained, refuse, render_or_exit
from inline_proxy.config.model import ProxyConfig
from inline_proxy.dialog_keys import kept_for_the_user
from inline_proxy.installation import Installation
from inline_proxy.kamailio_process import START_DEADLINE_S, KamailioProcess
from inline_proxy.kamailio_version import REMEDY
from inline_proxy.late_addresses import wait_for_addresses
from inline_proxy.listeners import Listener, cluster_listeners
from inline_proxy.observer_process import ObserverProcess, command
from inline_proxy.rendering import Host
from inline_proxy.service_manager import ServiceManager

NOT_STARTED = 1


@click.command("run")
@config_argument
@click.option(
    "--state-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, exists=True, writable=True),
    help="Where the self-made certificate and the key of the dialogs are kept from run to run.",
)
@click.option(
    "--runtime-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, exists=True, writable=True),
    help="Where to render to, for a service that is reloaded; a private directory otherwise.",
)
def run_command(config_path: Path, state_dir: Path | None, runtime_dir: Path | None) -> None:
    """Run Kamailio for CONFIG in the foreground, logs on stderr, until SIGTERM or SIGINT.

    Prints `ready` once every listener answers. Exits with Kamailio's exit code.
    """
    for number in stop_signals():
        signal.signal(number, _leave)
    config = load_or_exit(config_path)
    service = None if runtime_dir is None else RunningAs(config_path.read_bytes())
    with _directory(runtime_dir) as directory:
        observer = command(config_path, state_dir or Path(directory), Path(directory))
        status = _run(config, Path(directory), state_dir, service, observer)
    sys.exit(status)


class RunningAs(NamedTuple):
    """The installed service, and the configuration that it was started with."""

    config_text: bytes
    installation: Installation = Installation()


def stop_signals() -> tuple[signal.Signals, ...]:
    """What ends the proxy: also the terminal that goes away, except under `nohup`."""
    survives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGTERM, signal.SIGINT, *(() if survives else (signal.SIGHUP,)))


def _leave(number: int, _frame: FrameType | None) -> None:
    """End before Kamailio runs, and take the private directory along."""
    raise SystemExit(128 + number)


def _directory(runtime_dir: Path | None) -> AbstractContextManager[str]:
    """Take the directory that is given, which stays, or make a private one."""
    return _private_directory() if runtime_dir is None else nullcontext(str(runtime_dir))


def _private_directory() -> "tempfile.TemporaryDirectory[str]":
    """A directory that nobody else may read; a key lies in it.

    A signal waits until the directory is sure to be removed again.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals())
    try:
        with explained(Path("TMPDIR")):
            return tempfile.TemporaryDirectory(prefix="inline-proxy-")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stop_signals())


def _run(
    config: ProxyConfig,
    directory: Path,
    state_directory: Path | None,
    service: RunningAs | None,
    observer: list[str],
) -> int:
    if service is not None:
        wait_for_addresses(config.listen, partial(click.echo, err=True))
    if state_directory is None:
        config = replace(config, dialog=kept_for_the_user(config.dialog))
    host = render_or_exit(config, directory, state_directory)
    faults = (
        *busy((*host.listeners, *cluster_listeners(config.cluster))),
        *unresolved(host.listeners, host.kamailio),
    )
    if faults:
        refuse(*faults)
    is_observed = config.records.enabled or config.admin.listen is not None
    with ObserverProcess(observer) if is_observed else nullcontext():
        return _supervise(host, directory, service)


def _supervise(host: Host, directory: Path, service: RunningAs | None) -> int:
    listeners = tuple(each for each in host.listeners if not each.is_for_outgoing)
    with KamailioProcess(directory) as process:
        process.stop_on(stop_signals())
        silent = process.silent_after_start(listeners)
        if silent and not process.stop_wanted:
            return _give_up(process, silent)
        if not silent:
            click.echo("ready")
            sys.stdout.flush()
            if service is not None:
                service.installation.keep(service.config_text)
            _report_to(ServiceManager.here(), process, listeners)
        return process.wait()


def _report_to(
    manager: ServiceManager, process: KamailioProcess, listeners: tuple[Listener, ...]
) -> None:
    """Tell systemd that the service is up, and from then on that it still answers."""
    manager.say_ready()
    if manager.watchdog_s is not None:
        process.every(
            manager.watchdog_s / 3,
            lambda: manager.say_alive(if_=process.answers_anywhere(listeners)),
        )


def _give_up(process: KamailioProcess, silent: Iterable[Listener]) -> int:
    if process.is_running:
        sockets = ", ".join(listener.socket for listener in silent)
        click.echo(
            f"listen: no answer from {sockets} in {START_DEADLINE_S:.0f} s; Kamailio's lines "
            "above may say why, or a packet filter stops what this host sends to itself",
            err=True,
        )
        process.stop()
        return process.wait() or NOT_STARTED
    status = process.wait()
    click.echo(
        f"kamailio ended with exit code {status} before it answered; its ERROR lines above say "
        f"why. If a module is missing: {REMEDY}",
        err=True,
    )
    return status or NOT_STARTED
