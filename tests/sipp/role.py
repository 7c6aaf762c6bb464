"""One role in one call: a SIPp process, what it saw, and its verdict."""

import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from inline_proxy.lab.message import Message, encode
from sipp.place import Place
from sipp.tls_bridge import Bridge
from sipp.traces import CUE, Passed, passed, selected
from sipp.waiting import wait_until

LONGEST_S = 20
"""No role plays longer; it has then failed."""
MESSAGES = "messages.log"
ERRORS = "errors.log"
SCREEN = "screen.log"
FIRST_FINAL = 200
INITIAL = "1 INVITE"
"""The CSeq of the INVITE that begins a call, in every scenario."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role that plays, or has played."""

    name: str
    number: str
    place: Place
    process: "subprocess.Popen[bytes]"
    directory: Path
    bridge: Bridge | None = None
    callee: Place | None = None
    """Whom it calls; None for a role that is called."""

    # Where it is

    @property
    def uri(self) -> str:
        """The called number at this role."""
        return self.place.uri(self.number)

    def at(self, q: float | None = None) -> str:
        """A Contact that leads to this role."""
        return f"<{self.uri}>" if q is None else f"<{self.uri}>;q={q}"

    # What passed

    @property
    def trace(self) -> list[Passed]:
        """Everything that has passed so far, in the order of time."""
        return passed(self.directory / MESSAGES)

    def received(self, what: str | int | None = None) -> list[Message]:
        """What it received: requests of a method, responses of a status, or everything."""
        return selected(self.trace, "received", what)

    def sent(self, what: str | int | None = None) -> list[Message]:
        """What it sent: requests of a method, responses of a status, or everything."""
        return selected(self.trace, "sent", what)

    @property
    def invite(self) -> Message:
        """The initial INVITE that it received: one, its retransmissions aside."""
        invites = {m.branch: m for m in self.received("INVITE") if m.header("cseq") == INITIAL}
        assert len(invites) == 1, f"{self.name} received {len(invites)} INVITEs"
        return next(iter(invites.values()))

    @property
    def statuses(self) -> list[int]:
        """The status codes received for the initial INVITE, in order, repetitions aside."""
        seen = [m.status for m in self.received() if m.status and m.header("cseq") == INITIAL]
        return list(dict.fromkeys(seen))

    @property
    def final(self) -> Message:
        """The final response received for the initial INVITE."""
        responses = [m for m in self.received() if m.header("cseq") == INITIAL]
        return next(m for m in responses if m.status >= FIRST_FINAL)

    @property
    def is_silent(self) -> bool:
        """Whether nothing has reached it."""
        return not self.received()

    # How it goes

    def succeeded(self) -> bool:
        """Wait for its end; tell whether all went as its scenario says."""
        return self.process.wait(LONGEST_S + 5) == 0

    def wait_for(self, what: str | int) -> Self:
        """Wait until it has received such a message."""
        wait_until(lambda: self.received(what), f"{self.name} receives {what}")
        return self

    def cue(self) -> None:
        """Let a UDP role go on from the `CUE` in its scenario, at a moment the test chooses.

        The cue is made of the last message that the role received, so that its `[last_...]`
        hold what they held before.
        """
        assert self.place.transport == "udp", "only UDP roles take cues"
        last = [entry for entry in self.trace if entry.direction == "received"][-1]
        _, _, headers = last.text.partition("\r\n")
        family = socket.AF_INET6 if ":" in self.place.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as prompter:
            cue = encode(f"{CUE} sip:role SIP/2.0\r\n{headers}")
            prompter.sendto(cue, (self.place.host, self.place.port))

    def leave(self) -> None:
        """End it, wherever it is in its scenario."""
        self.process.kill()
        self.process.wait()
        if self.bridge is not None:
            self.bridge.close()

    def story(self) -> str:
        """Everything that helps to see what went wrong."""
        story = [f"{self.place.sent_by}, exit code {self.process.poll()}"]
        story += [
            log.read_text(errors="replace")
            for log in (self.directory / SCREEN, self.directory / ERRORS)
            if log.exists()
        ]
        story += [
            f"--- {entry.time % 1000:.3f} {entry.direction}\n{entry.text.rstrip()}"
            for entry in self.trace
        ]
        return "\n".join(story)


def all_succeeded(*roles: Role) -> bool:
    """Wait for the end of all roles; tell whether each went as its scenario says."""
    verdicts = [role.succeeded() for role in roles]
    return all(verdicts)


def tried_in_order(*targets: Role) -> bool:
    """Tell whether the targets got their INVITEs in this order.

    Kamailio numbers the branches of a call in their Via, in hexadecimal, lowest digit first.
    The times that two SIPp processes note are no proof on a busy machine.
    """
    numbers = (target.invite.branch.rpartition(".")[2] for target in targets)
    branches = [int(number[::-1], 16) for number in numbers]
    return branches == sorted(branches)
