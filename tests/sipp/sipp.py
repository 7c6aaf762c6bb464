"""Starts roles: SIPp processes that play one side of one call.

A role is a scenario in `roles/`, an XML file that is named by who plays and what happens. The
words in brackets that are not SIPp's own are filled in here: `_keys` says with what, and a test
may give others.
"""

import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sipp.place import Callee, Place, Transport, bracketed
from sipp.role import ERRORS, LONGEST_S, MESSAGES, SCREEN, Role
from sipp.tls_bridge import Bridge, Bridges, Certificate, Route, trusting
from sipp.waiting import wait_until

ROLES = Path(__file__).with_name("roles")
PORTS = itertools.count(10_000, 10)
"""Each role gets ten: the one where it is reached, and those below."""
CONTROL, BRIDGED, BEHIND_BRIDGE, MEDIA = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Stage:
    """What the roles of all tests share."""

    bridges: Bridges
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Wiring:
    """The sockets of one SIPp process: its own, and where it sends when it calls."""

    transport: Transport
    local: Place
    remote: Place | None


class Sipp:
    """The cast of one test: its roles all play in calls to the test's own number."""

    def __init__(self, stage: Stage, number: str, directory: Path) -> None:
        self.number = number
        self.cast: list[Role] = []
        self._stage = stage
        self._directory = directory

    def play(
        self,
        name: str,
        *,
        to: Callee | None = None,
        transport: Transport = "udp",
        host: str = "127.0.0.1",
        port: int | None = None,
        **keys: str,
    ) -> Role:
        """Start a role; return when it listens or, if it calls, at once.

        `to` is whom it calls: None for a role that is called. `port` is for a target that the
        configuration names. `keys` fill in the scenario as they are; `status` is the code and
        phrase of a refusal, and `headers` begin each line with CRLF.
        """
        place = Place(host, port or next(PORTS), transport)
        callee = None if to is None else to.place(transport, ipv6=":" in host)
        bridge = self._bridge(place, callee) if transport == "tls" else None
        wiring = _wiring(place, callee)
        directory = self._directory / f"{len(self.cast)}-{name}"
        directory.mkdir()
        filled = self._keys(place, callee) | keys
        # SIPp refuses a scenario whose status line begins with SIP/2.0 and goes on with a key.
        filled["status_line"] = f"SIP/2.0 {filled['status']}"
        command = self._command(name, wiring, filled)
        process = _start(command, directory)
        role = Role(name, self.number, place, process, directory, bridge, callee)
        self.cast.append(role)
        if callee is None:
            _wait_until_it_listens(role, wiring.local)
        return role

    def vacancy(self, transport: Transport = "udp") -> Place:
        """A place where nobody listens."""
        return Place("127.0.0.1", next(PORTS), transport)

    def unanswered(self) -> list[Place]:
        """Where roles have called that waited to their end, and to whom nobody said anything."""
        return [
            role.callee
            for role in self.cast
            if role.callee and role.process.poll() and role.sent() and role.is_silent
        ]

    def leave(self) -> None:
        """End every role, wherever it is in its scenario."""
        for role in self.cast:
            role.leave()

    def stories(self) -> Iterator[tuple[str, str]]:
        """Name and story of every role."""
        for role in self.cast:
            yield role.name, role.story()

    def _bridge(self, place: Place, callee: Place | None) -> Bridge:
        """Put TLS between a role and the proxy."""
        listens = Place(place.host, place.port + BRIDGED)
        if callee is None:
            tls = self._stage.certificate.server()
            route = Route(listen=place.endpoint, connect=listens.endpoint, listen_tls=tls)
        else:
            route = Route(
                listen=listens.endpoint,
                connect=callee.endpoint,
                connect_from=place.endpoint,
                connect_tls=trusting(),
            )
        return self._stage.bridges.open(route)

    def _command(self, name: str, wiring: Wiring, keys: dict[str, str]) -> list[str]:
        local, remote = wiring.local, wiring.remote
        options = {
            "-sf": str(ROLES / f"{name}.xml"),
            "-t": "u1" if wiring.transport == "udp" else "t1",
            "-i": bracketed(local.host),
            "-p": str(local.port),
            "-cp": str(local.port // 10 * 10 + CONTROL),
            "-mp": str(local.port // 10 * 10 + MEDIA),
            "-m": "1",
            "-default_behaviors": "all,-bye",
            "-cid_str": f"{self.number}-{len(self.cast)}",
            "-timeout": str(LONGEST_S),
            "-message_file": MESSAGES,
            "-error_file": ERRORS,
        }
        flags = ["-nostdin", "-timeout_error", "-skip_rlimit", "-trace_msg", "-trace_err"]
        key_options = (("-key", key, value) for key, value in keys.items())
        return [
            "sipp",
            *([remote.host_port] if remote else []),
            *itertools.chain.from_iterable(options.items()),
            *flags,
            *itertools.chain.from_iterable(key_options),
        ]

    def _keys(self, place: Place, callee: Place | None) -> dict[str, str]:
        """What fills in a scenario, unless a test says otherwise."""
        keys = {
            "sent_by": place.sent_by,
            "contact": f"<{place.uri('role')}>",
            "status": "503 Service Unavailable",
            "headers": "",
        }
        if callee is None:
            return keys
        called = f"sip:{self.number}@{callee.host_port}"
        return keys | {
            "called": called,
            "caller": f"<sip:+14045550100@{bracketed(place.host)}>",
            "callee": f"<{called}>",
            "invite_branch": f"z9hG4bK{self.number}.{len(self.cast)}",
            "max_forwards": "70",
        }


def _wiring(place: Place, callee: Place | None) -> Wiring:
    if place.transport != "tls":
        return Wiring(place.transport, place, callee)
    bridged = Place(place.host, place.port + BRIDGED, "tcp")
    if callee is None:
        return Wiring("tcp", bridged, None)
    return Wiring("tcp", Place(place.host, place.port + BEHIND_BRIDGE, "tcp"), bridged)


def _start(command: list[str], directory: Path) -> "subprocess.Popen[bytes]":
    with (directory / SCREEN).open("wb") as screen:
        return subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=screen,
            stderr=subprocess.STDOUT,
        )


def _wait_until_it_listens(role: Role, local: Place) -> None:
    kind = "udp" if local.transport == "udp" else "tcp"
    tables = [Path(f"/proc/self/net/{kind}"), Path(f"/proc/self/net/{kind}6")]

    def listens() -> bool:
        assert role.process.poll() is None, f"{role.name} did not start: {role.story()}"
        return any(f":{local.port:04X} " in table.read_text() for table in tables)

    wait_until(listens, f"{role.name} listens on {local.sent_by}")
