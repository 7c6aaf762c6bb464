"""ClearIP as the flows see it: one stand-in for two sites, with an answer per called number."""

import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter

from inline_proxy.lab.answer import Action, Answer
from inline_proxy.lab.conversation import Settings
from inline_proxy.lab.message import Message
from inline_proxy.lab.recording import Entry, MemoryRecord
from inline_proxy.lab.server import StandIn, TlsIdentity, in_thread
from sipp.tls_bridge import Certificate
from sipp.waiting import wait_until

HOST = "127.0.0.1"
SITE_PORTS = (6061, 6062)
VACANT_SITE_PORT = 6063
"""Nobody listens there."""
NOT_SCRIPTED = Answer(500, "The test did not say what ClearIP answers")
SILENCE = Answer(action=Action.SILENCE)
TRYING_THEN_SILENCE = Answer(action=Action.SILENCE, trying=True)


@dataclass(frozen=True, slots=True)
class Site:
    """One ClearIP site."""

    answers: dict[str, Answer] = field(default_factory=dict)
    """By the number called."""
    record: MemoryRecord = field(default_factory=MemoryRecord)

    def answer_for(self, user: str) -> Answer:
        """The answer to a call to the user part of a Request-URI."""
        return next((self.answers[n] for n in self.answers if n.lstrip("+") in user), NOT_SCRIPTED)


@contextmanager
def sites(certificate: Certificate) -> Iterator[tuple[Site, ...]]:
    """Run the sites, the most preferred first."""
    tls = TlsIdentity(certificate.certificate, certificate.private_key)
    with ExitStack() as running:
        opened = []
        for port in SITE_PORTS:
            site = Site()
            stand_in = StandIn(Settings(answer_for=site.answer_for), site.record, tls)
            running.enter_context(in_thread(stand_in, HOST, port))
            opened.append(site)
        yield tuple(opened)


def token(ppt: str = "shaken", *, length: int = 600) -> str:
    """An Identity header value as ClearIP makes them (RFC 8224 §4); no two are alike."""
    passport = secrets.token_urlsafe(length)[:length]
    info = "https://certificates.clearip.example/6f1e2b0a/b1946ac9.pem"
    return f"{passport[:40]}.{passport[40:200]}.{passport[200:]};info=<{info}>;alg=ES256;ppt={ppt}"


def passport(*, seconds_old: int = 0) -> str:
    """An Identity header value that says when it was made (RFC 8225 §5.1.1)."""
    claims = json.dumps({"iat": int(time.time()) - seconds_old, "nonce": secrets.token_hex(8)})
    encoded = urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    return f"eyJ4Ijoxfq.{encoded}.c2ln;info=<https://certificates.clearip.example/a.pem>;ppt=shaken"


class ClearIp:
    """What ClearIP says to the calls of one test, and what it has been asked."""

    def __init__(self, number: str, opened: tuple[Site, ...]) -> None:
        self._number = number
        self._sites = opened

    # What it says

    def answers(self, answer: Answer, *, at_site: int | None = None) -> None:
        """Give this answer, at one site (counted from 1) or at all."""
        for position, site in enumerate(self._sites, start=1):
            if at_site in {None, position}:
                site.answers[self._number] = answer

    def says(self, status: int, reason: str, *headers: str) -> None:
        """Give this final response; `headers` are whole lines."""
        self.answers(Answer(status, reason, headers))

    def redirects_to(
        self, *contacts: str, identities: Iterable[str] = (), headers: Iterable[str] = ()
    ) -> None:
        """Give a 302 with one Contact header, with Identity headers and those whole lines."""
        signed = (f"Identity: {identity}" for identity in identities)
        self.moved(f"Contact: {', '.join(contacts)}", *signed, *headers)

    def moved(self, *lines: str) -> None:
        """Give a 302 with these header lines."""
        self.says(302, "Moved Temporarily", *lines)

    # What it heard

    def entries(self, *, at_site: int | None = None) -> list[Entry]:
        """What passed for this test's calls, at one site (counted from 1) or at all."""
        entries = [
            entry
            for position, site in enumerate(self._sites, start=1)
            if at_site in {None, position}
            for entry in tuple(site.record.entries)
            if self._number in entry.text
        ]
        return sorted(entries, key=attrgetter("time"))

    def received(self, method: str | None = None, *, at_site: int | None = None) -> list[Message]:
        """The requests received, all or those of one method."""
        messages = (
            Message.parse(entry.text)
            for entry in self.entries(at_site=at_site)
            if entry.direction == "received"
        )
        return [message for message in messages if method in {None, message.method}]

    @property
    def methods(self) -> list[str]:
        """The methods of the requests received, ACK included, in order."""
        return [message.method for message in self.received()]

    @property
    def invite(self) -> Message:
        """The one INVITE received."""
        (invite,) = self.received("INVITE")
        return invite

    def was_asked_once(self) -> bool:
        """Wait for the ACK to its answer; tell whether that and one INVITE is all it received."""
        self.wait_for("ACK")
        return self.methods == ["INVITE", "ACK"]

    def wait_for(self, method: str) -> None:
        """Wait until it has received such a request."""
        wait_until(partial(self.received, method), f"ClearIP receives {method}")

    def wait_until_it_has_said(self, status: int, *, at_site: int) -> None:
        """Wait until a site has sent such a response."""

        def has_said_it() -> bool:
            sent = (e for e in self.entries(at_site=at_site) if e.direction == "sent")
            return any(Message.parse(entry.text).status == status for entry in sent)

        wait_until(has_said_it, f"ClearIP says {status}")

    def story(self) -> tuple[str, str]:
        """What helps to see what went wrong."""
        passed = (
            f"--- {entry.time % 1000:.3f} {entry.direction}\n{entry.text.rstrip()}"
            for entry in self.entries()
        )
        return "ClearIP", "\n".join(passed)
