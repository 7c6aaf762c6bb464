"""A proxy that lacks one of its guards: rendered, changed in one place, started by hand."""

import itertools
import json
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from inline_proxy.kamailio_environment import kamailio_environment
from inline_proxy.kamailio_process import command
from inline_proxy.listeners import Listener
from inline_proxy.sip_probe import answers_options
from sipp.clearip import HOST
from sipp.place import Place, Transport
from sipp.proxy import HOST_IPV6, Config, base_config, merged
from sipp.role import all_succeeded
from sipp.running import inline_proxy
from sipp.sipp import Sipp
from sipp.waiting import wait_until

PORTS = itertools.count(7000, 10)
PROBE_S = 0.5


@dataclass(frozen=True, slots=True)
class Guard:
    """Some text of one rendered file, and what stands in its stead when it is missing."""

    text: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Tampered:
    """A configuration, and the guards that its files lose."""

    directory: Path
    ca_file: Path
    guards: tuple[Guard, ...]
    changes: Config

    def start(self, prefix: Sequence[str] = ()) -> "Unguarded":
        """Render, take the guards away, and start Kamailio; it need not come to answer.

        Raises `AssertionError` where a guard does not stand in the files exactly once.
        """
        port = next(PORTS)
        config = self.directory / "config.yaml"
        config.write_text(json.dumps(merged(base_config(port, self.ca_file), self.changes)))
        inline_proxy("render", str(config), "-o", str(self.directory))
        for guard in self.guards:
            _take_away(guard, self.directory)
        with (self.directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [*prefix, *command(self.directory)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=kamailio_environment(),
            )
        return Unguarded(port, self.directory, process)


@dataclass(frozen=True, slots=True)
class Unguarded:
    """Kamailio on files that were tampered with."""

    port: int
    directory: Path
    process: "subprocess.Popen[bytes]"

    def wait_until_ready(self) -> None:
        """Wait until it answers over UDP, and so over everything: its workers start together."""
        listener = Listener("udp", ip_address(HOST), self.port)

        def answers() -> bool:
            assert self.process.poll() is None, f"it did not start:\n{self.log}"
            return answers_options(listener, PROBE_S)

        wait_until(answers, "the proxy answers")

    def place(self, transport: Transport, *, ipv6: bool = False) -> Place:
        """Where it listens."""
        port = self.port + 1 if transport == "tls" else self.port
        return Place(HOST_IPV6 if ipv6 else HOST, port, transport)

    @property
    def log(self) -> str:
        """Everything that it has logged."""
        return (self.directory / "log").read_text(errors="replace")

    def has_logged(self, text: str) -> bool:
        """Whether a text stands in its log."""
        return text in self.log

    def stop(self) -> None:
        """End it, and its workers; how it ends by itself is no matter of these tests."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _take_away(guard: Guard, directory: Path) -> None:
    holding = [file for file in directory.glob("*.cfg") if guard.text in file.read_text()]
    assert len(holding) == 1, f"{guard.text!r} stands in {holding}"
    text = holding[0].read_text()
    assert text.count(guard.text) == 1, f"{guard.text!r} stands there more than once"
    holding[0].write_text(text.replace(guard.text, guard.instead))


def final_status(sipp: Sipp, proxy: Unguarded) -> int:
    """What a caller hears."""
    caller = sipp.play("uac-refused", to=proxy)
    assert all_succeeded(caller)
    return caller.final.status
