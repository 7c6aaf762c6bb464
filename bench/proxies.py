"""The proxies that are compared: each is started, and left when its measurement is over."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench.clearip import fill_in, write_tls
from bench.places import CLEARIP_PORT, HOST, PROXY_PORT, PROXY_TLS_PORT
from inline_proxy.kamailio_process import command
from inline_proxy.kamailio_version import installed_version
from inline_proxy.lab.certificates import LabFiles
from inline_proxy.lab.children import Child, Children, holds_udp_port
from inline_proxy.workers import processors, udp_workers
from sipp.load.lab import prefer_session


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy that is ready."""

    child: Child
    directory: Path

    def processes(self) -> list[psutil.Process]:
        """All of it: Kamailio's processes, the command that watches them, and the observer."""
        below = psutil.Process(self.child.process.pid)
        return [below, *below.children(recursive=True)]

    def workers(self) -> list[psutil.Process]:
        """Its Kamailio processes alone."""
        return [each for each in self.processes() if _is_kamailio(each)]

    def ask(self, rpc: str) -> dict[str, str]:
        """Ask Kamailio for numbers over its control socket: name to value."""
        (socket,) = self.directory.rglob("rpc.sock")
        asked = ["kamcmd", "-s", f"unix:{socket}", rpc]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        lines = (line.partition(":") for line in said.splitlines())
        return {name.strip(): value.strip() for name, _, value in lines}


def _is_kamailio(process: psutil.Process) -> bool:
    try:
        return process.name() == "kamailio"
    except psutil.NoSuchProcess:
        return False


NATIVE = "native"

Start = Callable[[Children, Path, LabFiles], Child]


@dataclass(frozen=True, slots=True)
class Proxy:
    """One of the proxies that are compared."""

    name: str
    start: Start
    """Starts it in an existing directory; returns when it takes calls."""

    @contextmanager
    def running(self, directory: Path, files: LabFiles) -> Iterator[Running]:
        """Start it, and end it on the way out; nothing of it is left to disturb the next."""
        place = directory / f"{self.name}-{len(list(directory.iterdir()))}"
        place.mkdir()
        with Children(place) as children:
            running = Running(self.start(children, place, files), place)
            for worker in running.workers():
                prefer_session(worker.pid)
            yield running


def native() -> Proxy:
    """Native Kamailio: the same allocator, memory and numbers of workers as the proxy has."""
    return Proxy(NATIVE, _start_native)


def ours(
    checkout: Path,
    changes: dict[str, Any] | None = None,
    name: str = "ours",
    clearip: str = HOST,
) -> Proxy:
    """The proxy of a checkout; `changes` are laid over the default configuration.

    `clearip` is the host of ClearIP's stand-in.
    """
    return Proxy(name, partial(_start_ours, _Ours(checkout, changes or {}, clearip)))


def _start_native(children: Children, directory: Path, files: LabFiles) -> Child:
    values = {
        "DIRECTORY": directory,
        "HOST": HOST,
        "PORT": PROXY_PORT,
        "TLS_PORT": PROXY_TLS_PORT,
        "UDP_WORKERS": udp_workers(processors()),
        "TCP_WORKERS": installed_version().tcp_workers,
    }
    fill_in("native.cfg", directory / "kamailio.cfg", dict(values))
    write_tls(directory, files)
    site = f"1 sip:{HOST}:{CLEARIP_PORT};transport=tls 0 1\n"
    (directory / "dispatcher.list").write_text(site)
    kamailio = children.start("native", command(directory))
    children.wait_for(kamailio, partial(holds_udp_port, PROXY_PORT), "it listened")
    return kamailio


@dataclass(frozen=True, slots=True)
class _Ours:
    """What is started, and how it differs from the default."""

    checkout: Path
    changes: dict[str, Any]
    clearip: str


def _start_ours(what: _Ours, children: Children, directory: Path, files: LabFiles) -> Child:
    config = directory / "config.yaml"
    config.write_text(json.dumps(configuration(files, what.clearip) | what.changes))  # JSON is YAML
    environment = {"PYTHONPATH": str(what.checkout / "src"), "TMPDIR": str(directory)}
    arguments = [f"{name}={value}" for name, value in environment.items()]
    run = [sys.executable, "-m", "inline_proxy", "run", str(config)]
    proxy = children.start("ours", ["env", *arguments, *run])
    children.wait_for(proxy, lambda: "ready\n" in proxy.output, "it was ready")
    children.wait_for(proxy, lambda: " is up" in proxy.complaints, "ClearIP was verified")
    return proxy


def configuration(files: LabFiles, clearip: str = HOST) -> dict[str, Any]:
    """Give the default configuration, but for where it listens and where ClearIP is."""
    return {
        "listen": {
            "addresses": [HOST],
            "udp": PROXY_PORT,
            "tcp": PROXY_PORT,
            "tls": PROXY_TLS_PORT,
        },
        "clearip": {
            "sites": [{"host": clearip, "port": CLEARIP_PORT}],
            "tls": {"ca_file": str(files.ca), "server_name": "sip.clearip.com"},
        },
        "trusted": [HOST],
    }


def of_this_checkout() -> Path:
    """Return the checkout that the benchmark is part of."""
    return Path(os.path.realpath(__file__)).parents[1]
