"""The lab on loopback: ClearIP's stand-in, the carriers and the proxy, and calls through them."""

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from inline_proxy.lab.certificates import LabFiles, write_lab_files
from inline_proxy.lab.children import Children, LabError, holds_udp_port
from inline_proxy.lab.passage import Passage, seen_by
from inline_proxy.lab.recording import read_record
from inline_proxy.lab.sipp import Part
from inline_proxy.lab.sipp_trace import read_trace

REFUSED: Final = 2
LOOPBACK: Final = "127.0.0.1"
SIP: Final = 5060
SIPS: Final = 5061
CLEARIP_PORT: Final = 6061
CARRIER_PORTS: Final = 7001
ADMIN_PORT: Final = 8080
CARRIERS: Final = {
    "A": "carrier-answers",
    "B": "carrier-answers",
    "C": "carrier-refuses",
    "D": "carrier-busy",
    "E": "carrier-rings",
    "F": "carrier-silent",
    "G": "carrier-answers",
}
"""What each carrier of the numbering plan does: the name of its scenario."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everybody listens."""

    sip: int
    sips: int
    clearip: int
    carriers: dict[str, int]
    admin: int
    """The status page, on loopback."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running lab."""

    directory: Path
    ports: Ports
    children: Children
    carriers: tuple[Part, ...]

    def place_call(self, name: str, number: str, status: int) -> list[Passage]:
        """Call a number through the proxy, wait for the end, and give what the switch saw.

        Raises `LabError` when no call could be placed, or it does not come to an end. Whether it
        went well is for the messages to tell, not for SIPp's exit code.
        """
        scenario = "caller-answered" if status < 300 else "caller-refused"  # noqa: PLR2004
        part = Part(name, scenario, free_port(socket.SOCK_DGRAM), self.directory)
        caller = self.children.start(name, part.caller(self.ports.sip, number, status))
        exit_code = self.children.wait_for_end(caller)
        passages = seen_by("switch", read_trace(part.trace))
        if not passages:
            raise LabError(f"{name} placed no call: SIPp ended with {exit_code}.")
        return passages

    def seen_by_others(self) -> list[Passage]:
        """Give what ClearIP and the carriers have seen so far, of every call."""
        passages = seen_by("ClearIP", read_record(self.directory / "clearip.jsonl"))
        for carrier in self.carriers:
            passages += seen_by(carrier.name, read_trace(carrier.trace))
        return passages


@contextmanager
def stage(
    directory: Path, *, everywhere: bool = False, answer_timeout_ms: int | None = None
) -> Iterator[Stage]:
    """Start a lab in an existing directory and end it on the way out; raises `LabError`.

    On loopback, and on ports that are free; `everywhere`: the proxy listens on all interfaces
    and on SIP's own ports. `answer_timeout_ms` is for whoever cannot wait as long as a caller.
    """
    ports = choose_ports(everywhere=everywhere)
    files = write_lab_files(directory)
    with Children(directory) as children:
        carriers = tuple(_start_carriers(children, directory, ports))
        _start_clearip(children, directory, ports, files)
        settings = configuration(ports, files, everywhere=everywhere)
        if answer_timeout_ms is not None:
            settings["targets"]["answer_timeout_ms"] = answer_timeout_ms
        _start_proxy(children, directory, settings)
        yield Stage(directory, ports, children, carriers)


def configuration(
    ports: Ports, files: LabFiles, *, everywhere: bool
) -> dict[str, dict[str, object]]:
    """Give the proxy's configuration: defaults but for where ClearIP and its captcha host are."""
    return {
        "listen": {
            "addresses": "all" if everywhere else [LOOPBACK],
            "udp": ports.sip,
            "tcp": ports.sip,
            "tls": ports.sips,
        },
        "clearip": {
            "sites": [{"host": LOOPBACK, "port": ports.clearip}],
            "tls": {"ca_file": str(files.ca), "server_name": "sip.clearip.com"},
        },
        "targets": {
            "aliases": {"captcha.clearip.com": f"sip:{LOOPBACK}:{ports.carriers['G']}"},
        },
        "admin": {"listen": f"{LOOPBACK}:{ports.admin}"},
    }


def choose_ports(*, everywhere: bool) -> Ports:
    """Take the usual ports; on loopback, where nobody has to know them, others when taken."""
    return Ports(
        sip=SIP if everywhere else free_port(socket.SOCK_STREAM, SIP),
        sips=SIPS if everywhere else free_port(socket.SOCK_STREAM, SIPS),
        clearip=free_port(socket.SOCK_STREAM, CLEARIP_PORT),
        carriers={
            name: free_port(socket.SOCK_DGRAM, CARRIER_PORTS + place)
            for place, name in enumerate(CARRIERS)
        },
        admin=free_port(socket.SOCK_STREAM, ADMIN_PORT),
    )


def free_port(kind: socket.SocketKind, preferred: int = 0) -> int:
    """Give the preferred port of loopback if it is free for UDP and TCP, else one of `kind`."""
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
    if preferred and all(_is_free(each, preferred) for each in kinds):
        return preferred
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


def _is_free(kind: socket.SocketKind, port: int) -> bool:
    """Whether a port of loopback can be bound."""
    with socket.socket(socket.AF_INET, kind) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
        try:
            attempt.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _start_carriers(children: Children, directory: Path, ports: Ports) -> Iterator[Part]:
    """Start every carrier and wait until all of them listen."""
    for name, port in ports.carriers.items():
        part = Part(f"carrier {name}", CARRIERS[name], port, directory)
        child = children.start(part.name, part.carrier())
        children.wait_for(child, partial(holds_udp_port, port), "it listened")
        yield part


def _start_clearip(children: Children, directory: Path, ports: Ports, files: LabFiles) -> None:
    """Start the stand-in and wait until it listens."""
    carriers = [
        argument
        for name, port in ports.carriers.items()
        for argument in ("--carrier", f"{name}=sip:{LOOPBACK}:{port}")
    ]
    command: list[str | Path] = [
        *(sys.executable, "-m", "inline_proxy.lab.clearip"),
        *("--listen", f"{LOOPBACK}:{ports.clearip}"),
        *("--cert", files.certificate, "--key", files.private_key),
        *("--signing-key", files.signing_key),
        *("--record", directory / "clearip.jsonl"),
    ]
    child = children.start("ClearIP", [*command, *carriers])
    children.wait_for(child, lambda: "ready" in child.output, "it listened")


def _start_proxy(
    children: Children, directory: Path, settings: dict[str, dict[str, object]]
) -> None:
    """Write the configuration, start the proxy and wait until it answers on every listener."""
    config = directory / "config.yaml"
    config.write_text(json.dumps(settings, indent=2) + "\n")  # JSON is YAML
    state = directory / "state"
    state.mkdir()
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "inline_proxy",
        "run",
        config,
        "--state-dir",
        state,
    ]
    child = children.start("proxy", command)
    try:
        children.wait_for(child, lambda: "ready" in child.output, "it was ready")
    except LabError:
        if child.process.returncode == REFUSED:  # and it said why, in a sentence
            raise LabError(child.complaints.partition("\n")[0]) from None
        raise
