"""The proxy under test: `inline-proxy run` on a loopback address of its own."""

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inline_proxy.paths import ROOT
from sipp.clearip import HOST, SITE_PORTS
from sipp.place import Place, Transport
from sipp.proxy_state import state_of
from sipp.waiting import wait_until

FIRST_PORT = 5060
PORTS_PER_PROXY = 10
MOST_RUNNING = 8
STOP_PATIENCE_S = 15
HOST_IPV6 = "::1"
Config = dict[str, Any]


def base_config(port: int, ca_file: Path) -> Config:
    """The default configuration, as far as a test house allows: on loopback, UDP and TCP at a port.

    TLS is at the next port.
    """
    return {
        "listen": {"addresses": [HOST, HOST_IPV6], "udp": port, "tcp": port, "tls": port + 1},
        "clearip": {
            "sites": [{"host": HOST, "port": port} for port in SITE_PORTS],
            "tls": {"ca_file": str(ca_file)},
        },
        "trusted": ["127.0.0.0/9", "::1"],
        "targets": {"answer_timeout_ms": 8000},
        "admin": {"listen": None},
    }


def merged(base: Config, changes: Config) -> Config:
    """Lay changes over a configuration, part by part."""
    both = {
        key: merged(base[key], value) if isinstance(value, dict) and key in base else value
        for key, value in changes.items()
    }
    return base | both


@dataclass(slots=True)
class Proxy:
    """A proxy that is ready."""

    port: int
    directory: Path
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(
        cls, port: int, config: Config, directory: Path, prefix: Sequence[str] = ()
    ) -> "Proxy":
        """Start a proxy, `prefix` before its command; return when it answers on every listener."""
        (directory / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
        proxy = cls(port, directory, _run(directory, prefix))
        try:
            wait_until(proxy._is_ready, "the proxy is ready")
        except TimeoutError:
            proxy.stop()
            raise
        return proxy

    def restart(self) -> None:
        """End it and start it again; nothing that it knew of calls survives."""
        self.stop()
        self.process = _run(self.directory)
        wait_until(self._is_ready, "the proxy is ready again")

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, f"the proxy did not start:\n{self.log()}"
        return "ready\n" in (self.directory / "said").read_text()

    def place(self, transport: Transport, *, ipv6: bool = False) -> Place:
        """Where it listens."""
        port = self.port + 1 if transport == "tls" else self.port
        return Place(HOST_IPV6 if ipv6 else HOST, port, transport)

    def at(self, address: str) -> "ProxyAddress":
        """The same proxy, reached at another of its addresses."""
        return ProxyAddress(self, address)

    def log(self) -> str:
        """Everything that it has logged."""
        return (self.directory / "log").read_text(errors="replace")

    def log_of(self, number: str) -> list[str]:
        """What it has logged about the calls to a number."""
        return [line for line in self.log().splitlines() if number in line]

    def records(self, number: str) -> list[dict[str, Any]]:
        """The records of the calls to a number, as far as they have ended."""
        return [record for record in self.all_records() if record["to"] == number]

    def all_records(self) -> list[dict[str, Any]]:
        """Every record that it has written."""
        file = self.directory / "calls.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def wait_for_record(self, number: str) -> dict[str, Any]:
        """Wait until the only call to a number has its record."""
        wait_until(lambda: bool(self.records(number)), f"there is a record of {number}")
        (record,) = self.records(number)
        return record

    def wait_for_log(self, number: str, text: str) -> None:
        """Wait until it has logged a text about a call to a number."""
        wait_until(
            lambda: any(text in line for line in self.log_of(number)), f"the log says: {text}"
        )

    @property
    def dialog_keys(self) -> Path:
        """The file with the keys that it signs its dialogs with."""
        return self.directory / "dialog-keys"

    def count(self, table: str, key: str) -> int:
        """What it has counted in a table that its processes share."""
        found = re.search(r"value: (\d+)", self.ask("htable.get", table, f"s:{key}"))
        return int(found[1]) if found else 0

    def ask(self, *command: str) -> str:
        """Ask Kamailio by its RPC; the answer as it prints it, empty for a refusal."""
        (rpc,) = self.directory.glob("inline-proxy-*/rpc.sock")
        asked = ["kamcmd", "-s", f"unix:{rpc}", *command]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout

    @contextmanager
    def turning_away(self, requests: int = 1) -> Iterator[None]:
        """Wait, at the end, until it has turned away so many more requests."""
        before = self.count("counters", "requests_turned_away")
        yield
        wait_until(
            lambda: self.count("counters", "requests_turned_away") == before + requests,
            f"{requests} requests are turned away",
        )

    def stop(self) -> None:
        """End it as an operator would."""
        self.process.terminate()
        self.process.wait(STOP_PATIENCE_S)


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """One of the addresses of a proxy."""

    proxy: Proxy
    address: str

    def place(self, transport: Transport, *, ipv6: bool = False) -> Place:
        """Where it listens."""
        return replace(self.proxy.place(transport, ipv6=ipv6), host=self.address)


def _run(directory: Path, prefix: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
    with (directory / "log").open("ab") as log, (directory / "said").open("wb") as said:
        return subprocess.Popen(
            [
                *(*prefix, sys.executable, "-m", "inline_proxy"),
                *("run", str(directory / "config.yaml"), "--state-dir", str(directory)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=log,
            env=os.environ
            | {"PYTHONPATH": str(ROOT / "src")}
            | {"TMPDIR": str(directory), "XDG_STATE_HOME": str(directory)},
        )


class Proxies:
    """Starts a proxy for each different configuration, and keeps it for the tests to come.

    Not all of them run: with dozens of Kamailios on a machine, tests would measure the crowd.
    """

    def __init__(self, directory: Path, ca_file: Path) -> None:
        self._directory = directory
        self._ca_file = ca_file
        self._ports = itertools.count(FIRST_PORT, PORTS_PER_PROXY)
        self._started: dict[str, Proxy] = {}
        """By configuration; those used last come last."""
        self._resting: set[str] = set()
        self._fresh: list[Proxy] = []
        self._failed: dict[str, AssertionError] = {}

    def with_changes(self, changes: Config) -> Proxy:
        """Give the proxy with these changes to the base configuration."""
        wanted = json.dumps(changes, sort_keys=True)
        if wanted in self._failed:
            raise self._failed[wanted]
        proxy = self._started.pop(wanted, None)
        if proxy is None:
            try:
                proxy = self._start(changes)
            except AssertionError as fault:
                self._failed[wanted] = fault
                raise
        elif wanted in self._resting:
            self._resting.remove(wanted)
            proxy.restart()
        self._started[wanted] = proxy
        self._rest_the_others()
        return proxy

    def _rest_the_others(self) -> None:
        running = [wanted for wanted in self._started if wanted not in self._resting]
        for wanted in running[:-MOST_RUNNING]:
            self._resting.add(wanted)
            self._started[wanted].stop()

    def fresh(self, changes: Config) -> Proxy:
        """Start a proxy with these changes for one test alone; the test ends it."""
        proxy = self._start(changes)
        self._fresh.append(proxy)
        return proxy

    def _start(self, changes: Config) -> Proxy:
        port = next(self._ports)
        directory = self._directory / str(port)
        directory.mkdir()
        config = merged(base_config(port, self._ca_file), changes)
        return Proxy.start(port, config, directory)

    def log_of(self, number: str) -> str:
        """What all the proxies have logged about the calls to a number."""
        return "\n".join(line for each in self._all() for line in each.log_of(number))

    def mute(self, unanswered: Sequence[Place]) -> str:
        """Describe the proxies that somebody has called without any answer; "" for none."""
        ports = {place.port for place in unanswered}
        mute = (each for each in self._all() if each.port in ports)
        return "\n".join(state_of(each.process.pid, each.port) for each in mute)

    def stop(self) -> None:
        """End all of them."""
        for proxy in self._all():
            proxy.stop()

    def _all(self) -> Iterator[Proxy]:
        yield from self._started.values()
        yield from self._fresh
