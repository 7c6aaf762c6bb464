"""Real phones: baresip without a screen, a microphone or an account anywhere.

Each phone has a directory of its own for its configuration and is told what to do over a control
connection (module `ctrl_tcp`: netstrings that hold JSON), where it also says what happens to it.
Its microphone and loudspeaker are the two ends of one wire (module `aubridge`). What it sent and
received stands in the trace that it prints. The files hold what both 1.0 and 1.1 understand.
"""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from inline_proxy.lab.message import Message
from sipp.place import Place, Transport
from sipp.tls_bridge import Certificate
from sipp.traces import Direction
from sipp.waiting import PATIENCE_S, wait_until

HOST = "127.0.0.1"
TLS, CONTROL = 1, 2
"""Where a phone listens for TLS and for what it is told, counted from its port."""
STOP_PATIENCE_S = 10
CHUNK = 65_536
TRACED = re.compile(
    r"#\n(?P<transport>UDP|TCP|TLS) \S+ -> \S+\n(?P<text>.*?)\x1b\[;m",
    re.DOTALL,
)
CONFIG = """\
net_interface {host}
sip_listen {host}:{port}
sip_certificate {certificate}
sip_cafile {authorities}
sip_verify_server yes
rtp_ports 50000-59999
module_path /usr/lib/baresip/modules
module account.so
module menu.so
module ctrl_tcp.so
module g711.so
module aubridge.so
ctrl_tcp_listen {host}:{control}
audio_source aubridge,wire
audio_player aubridge,wire
audio_alert aubridge,alert
statmode_default off
"""
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trust:
    """What a phone shows of itself over TLS, and whom it believes."""

    certificate: Certificate
    authorities: Path


class ControlConnection:
    """What a phone is told, and what it says."""

    def __init__(self, port: int) -> None:
        """Raise `OSError` while the phone does not listen yet."""
        self._socket = socket.create_connection((HOST, port), PATIENCE_S)
        self._unread = b""
        self._said: list[Event] = []

    def tell(self, command: str, parameter: str = "") -> None:
        """Give a command, and wait until it is done; raises `AssertionError` when it is not."""
        said_before = len(self._said)
        order = json.dumps({"command": command, "params": parameter}).encode()
        self._socket.sendall(b"%d:%s," % (len(order), order))
        answer = self._wait_for({"response": True}, after=said_before)
        assert answer["ok"], f"{command}: {answer}"

    def wait_for(self, kind: str) -> Event:
        """Wait for an event of a kind, and give it; one that has been is as good."""
        return self._wait_for({"event": True, "type": kind})

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _wait_for(self, wanted: Event, after: int = 0) -> Event:
        """Raise `TimeoutError` when it does not come, `EOFError` when the phone has gone."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for said in self._said[after:]:
                if wanted.items() <= said.items():
                    return said
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            self._read()

    def _read(self) -> None:
        data = self._socket.recv(CHUNK)
        if not data:
            raise EOFError("the phone has closed its control connection")
        self._unread += data
        while (netstring := _cut(self._unread)) is not None:
            text, self._unread = netstring
            self._said.append(json.loads(text))


def _cut(data: bytes) -> tuple[bytes, bytes] | None:
    """Cut the first netstring off; None while it is not complete."""
    length, colon, rest = data.partition(b":")
    if not colon or len(rest) <= int(length):
        return None
    return rest[: int(length)], rest[int(length) + 1 :]


class Phone:
    """One baresip."""

    def __init__(self, number: str, port: int, trust: Trust, directory: Path) -> None:
        """Start it; it takes calls to the number as soon as this returns."""
        self._number = number
        self._port = port
        self._directory = directory
        _write_files(number, port, trust, directory)
        with self._screen.open("wb") as screen:
            self.process = subprocess.Popen(
                # Line by line: what it prints is read while it runs.
                ["stdbuf", "-oL", "baresip", "-f", str(directory), "-s"],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
            )
        self._connections: list[ControlConnection] = []
        wait_until(self._answers_control, "the phone listens to what it is told")

    def _answers_control(self) -> bool:
        assert self.process.poll() is None, f"the phone did not start:\n{self.story()}"
        try:
            self._connections.append(ControlConnection(self._port + CONTROL))
        except ConnectionRefusedError:
            return False
        return True

    @property
    def _control(self) -> ControlConnection:
        (connection,) = self._connections
        return connection

    # Where it is

    def at(self, transport: Transport) -> str:
        """A Contact that leads to this phone."""
        return f"<{self._place(transport).uri(self._number)}>"

    def _place(self, transport: Transport) -> Place:
        return Place(HOST, self._port + TLS if transport == "tls" else self._port, transport)

    # What it does

    def call(self, number: str, proxy: Place) -> None:
        """Call a number through the proxy."""
        self._control.tell("dial", proxy.uri(number))

    def answer(self) -> None:
        """Wait until it rings, and answer the call."""
        self._control.wait_for("CALL_INCOMING")
        self._control.tell("accept")

    def tell(self, command: str) -> None:
        """Have a command of baresip's own carried out."""
        self._control.tell(command)

    def hang_up(self) -> None:
        """End the call."""
        self._control.tell("hangup")

    def wait_for(self, kind: str) -> Self:
        """Wait for an event of baresip's."""
        self._control.wait_for(kind)
        return self

    def quit(self) -> int:
        """Switch it off and give its exit code; only then is its trace complete."""
        if self.process.poll() is None:
            self._control.tell("quit")
        self._control.close()
        return self.process.wait(STOP_PATIENCE_S)

    def leave(self) -> None:
        """End it, wherever it is."""
        for connection in self._connections:
            connection.close()
        self.process.kill()
        self.process.wait()

    # What passed

    def received(self, what: str | int, over: Transport | None = None) -> list[Message]:
        """The requests of a method, or the responses of a status, that it received."""
        return list(self._passed("received", what, over))

    def sent(self, what: str | int, over: Transport | None = None) -> list[Message]:
        """The requests of a method, or the responses of a status, that it sent."""
        return list(self._passed("sent", what, over))

    def statuses(self) -> list[int]:
        """The status codes that it received for its INVITEs, in order, repetitions aside."""
        every = (message for _, direction, message in self._trace() if direction == "received")
        return list(dict.fromkeys(m.status for m in every if m.status and m.method == "INVITE"))

    def _passed(
        self, wanted: Direction, what: str | int, over: Transport | None
    ) -> Iterator[Message]:
        for transport, direction, message in self._trace():
            subject = message.status if isinstance(what, int) else _method_of_request(message)
            if direction == wanted and subject == what and over in {None, transport}:
                yield message

    def _trace(self) -> Iterator[tuple[str, Direction, Message]]:
        """A request with this phone's own Via is its own, a response with it is for it."""
        own = tuple(f"{HOST}:{self._port + offset};" for offset in (0, TLS))
        for found in TRACED.finditer(self.story().replace("\r\n", "\n")):
            message = Message.parse(found["text"])
            is_own = message.header("via").partition(" ")[2].startswith(own)
            direction: Direction = "sent" if is_own == message.is_request else "received"
            yield found["transport"].lower(), direction, message

    @property
    def _screen(self) -> Path:
        return self._directory / "screen.log"

    def story(self) -> str:
        """Everything that it has printed."""
        return self._screen.read_text(errors="replace")


def _method_of_request(message: Message) -> str:
    return message.method if message.is_request else ""


def _write_files(number: str, port: int, trust: Trust, directory: Path) -> None:
    own = directory / "own.pem"
    own.write_bytes(
        trust.certificate.certificate.read_bytes() + trust.certificate.private_key.read_bytes()
    )
    (directory / "config").write_text(
        CONFIG.format(
            host=HOST,
            port=port,
            control=port + CONTROL,
            certificate=own,
            authorities=trust.authorities,
        )
    )
    (directory / "accounts").write_text(f"<sip:{number}@{HOST}>;regint=0\n")
    (directory / "contacts").touch()  # else it writes examples
