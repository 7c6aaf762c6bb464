"""The installed proxy as it runs: what it was started with, and giving it something else."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from inline_proxy.busy_ports import busy
from inline_proxy.certificates import write_atomically
from inline_proxy.config.model import ProxyConfig
from inline_proxy.installation import Installation
from inline_proxy.kamailio_environment import kamailio_environment
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.listeners import cluster_listeners
from inline_proxy.reload_plan import Order, Plan, new_listeners, plan
from inline_proxy.rendering import (
    CONTROL_SOCKET,
    GENERATION_BYTES,
    GENERATION_FILE,
    PRIVATE_FILE,
    Host,
    render,
    rendered_files,
)

VALIDATION_LIMIT_S = 30
RPC_LIMIT_S = 10.0


class Unfit(RuntimeError):
    """Kamailio cannot run what was rendered; the text says why."""


def planned(config: ProxyConfig, host: Host, installation: Installation) -> Plan:
    """Say what must be done so that the running proxy follows a configuration.

    Kamailio itself has judged it then. Raises `Unfit`, `CannotRender` and `OSError`.
    """
    _let_kamailio_judge(config, host, installation)
    wanted = rendered_files(config, host, installation.runtime, installation.state)
    running = _running(installation.runtime, wanted)
    added = new_listeners(running, wanted)
    sockets = (*host.listeners, *cluster_listeners(config.cluster))
    faults = busy(listener for listener in sockets if listener.socket in added)
    if faults and running:
        raise Unfit("\n".join(faults))
    return plan(running, wanted)


def _running(directory: Path, names: Iterable[str]) -> dict[str, str]:
    files = ((name, directory / name) for name in names)
    return {name: file.read_text() for name, file in files if file.is_file()}


def _let_kamailio_judge(config: ProxyConfig, host: Host, installation: Installation) -> None:
    """Render aside, with the keys there are, and have Kamailio parse it."""
    with tempfile.TemporaryDirectory(prefix="inline-proxy-") as aside:
        directory = Path(aside)
        render(config, host, directory, installation.state)
        asked = ["kamailio", "-c", "-f", str(directory / "kamailio.cfg"), "-Y", aside]
        judged = subprocess.run(
            [*asked, "-m", "64", "-M", "16"],
            capture_output=True,
            text=True,
            check=False,
            timeout=VALIDATION_LIMIT_S,
            env=kamailio_environment(),
        )
    if judged.returncode != 0:
        lines = [line for line in judged.stderr.splitlines() if "ERROR" in line or "CRIT" in line]
        raise Unfit("\n".join(("kamailio -c refuses what was rendered:", *lines[:5])))


def carry_out(todo: Plan, installation: Installation) -> None:
    """Replace files and have Kamailio read them again; calls go on meanwhile.

    Raises `Unfit` when it refuses; the files before are in force again then.
    """
    directory = installation.runtime
    before = _running(directory, todo.changed)
    try:
        _replace(todo.changed, todo, directory)
    except (KamailioUnreachable, RpcRefused) as refused:
        try:
            _replace(before, todo, directory)
        except (KamailioUnreachable, RpcRefused) as again:
            raise Unfit(f"{refused}; and to go back failed as well: {again}") from again
        raise Unfit(f"{refused}; what was there before is in force again") from refused


def _replace(files: Mapping[str, str], todo: Plan, directory: Path) -> None:
    for name, text in files.items():
        write_atomically(directory / name, text.encode(), PRIVATE_FILE)
    kamailio = KamailioRpc(directory / CONTROL_SOCKET, RPC_LIMIT_S)
    for order in todo.orders:
        _give(kamailio, order)
    if todo.renews_policy:
        _advance(directory / GENERATION_FILE)


def _give(kamailio: KamailioRpc, order: Order) -> None:
    method, *parameters = order
    kamailio.call(str(method), *parameters)


def _advance(counter: Path) -> None:
    """Tell every process of Kamailio, which has this file in its memory, that the policy is new."""
    descriptor = os.open(counter, os.O_RDWR)
    try:
        number = int.from_bytes(os.pread(descriptor, GENERATION_BYTES, 0), "little") + 1
        os.pwrite(descriptor, number.to_bytes(GENERATION_BYTES, "little"), 0)
    finally:
        os.close(descriptor)
