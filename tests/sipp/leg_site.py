"""A ClearIP site of a test's own: the stand-in behind TLS of any quality, opened and closed."""

import ssl
import warnings
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from inline_proxy.certificates import CertificatePair
from inline_proxy.lab.conversation import Settings
from inline_proxy.lab.message import Message
from inline_proxy.lab.recording import Entry
from inline_proxy.lab.server import StandIn, TlsIdentity, in_thread
from sipp.clearip import Site
from sipp.place import Place
from sipp.role import FIRST_FINAL
from sipp.waiting import wait_until

ANY_CIPHER = "ALL:@SECLEVEL=0"
"""OpenSSL 3 speaks the older versions on this level alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsServer:
    """What a site does in the handshake besides showing its certificate."""

    only_version: ssl.TLSVersion | None = None
    clients_of: Path | None = None
    """The authority that a client's certificate must come from; None demands no certificate."""

    def prepare(self, context: ssl.SSLContext) -> None:
        """Set up a server."""
        if self.only_version is not None:
            context.set_ciphers(ANY_CIPHER)
            with warnings.catch_warnings():
                # TLS 1.1 is deprecated: that is what the tests are about.
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = self.only_version
        if self.clients_of is not None:
            context.load_verify_locations(self.clients_of)
            context.verify_mode = ssl.CERT_REQUIRED


class _ListeningIdentity(TlsIdentity):
    """A certificate, and the names asked for in every handshake, also in those that fail."""

    def __init__(self, certificate: Path, private_key: Path, asked: list[str | None]) -> None:
        super().__init__(certificate, private_key)
        self._asked = asked

    def _note(
        self, handshake: ssl.SSLSocket | ssl.SSLObject, name: str | None, context: ssl.SSLContext
    ) -> None:
        self._asked.append(name)
        super()._note(handshake, name, context)


class LegSite:
    """One site at a port that stays its own while it is closed."""

    def __init__(
        self, place: Place, directory: Path, pair: CertificatePair, server: TlsServer
    ) -> None:
        self.host, self.port = place.endpoint
        self.uri = f"sip:{place.host_port};transport=tls"
        self.site = Site()
        self.names_asked: list[str | None] = []
        """The server name (SNI) of every handshake that came so far."""
        self._directory = directory
        self._pair = pair
        self._server = server
        self._ends = ExitStack()

    def open(self, pair: CertificatePair | None = None) -> None:
        """Begin to listen, with another certificate if one is given."""
        self._pair = pair or self._pair
        certificate, key = self._directory / "certificate.pem", self._directory / "key.pem"
        self._pair.write(certificate, key)
        tls = _ListeningIdentity(certificate, key, self.names_asked)
        self._server.prepare(tls.context)
        settings = Settings(answer_for=self.site.answer_for)
        self._ends.enter_context(
            in_thread(StandIn(settings, self.site.record, tls), self.host, self.port)
        )

    def close(self) -> None:
        """Stop listening and end every connection; nothing happens when it is closed already."""
        self._ends.close()

    def received(self, method: str) -> list[Entry]:
        """The requests of a method that it received, whichever call they belong to."""
        return [
            entry
            for entry in tuple(self.site.record.entries)
            if entry.direction == "received" and entry.text.startswith(f"{method} ")
        ]

    def call_ids(self) -> list[str]:
        """The Call-ID of every INVITE that it received."""
        received = (Message.parse(entry.text) for entry in self.received("INVITE"))
        return [invite.header("call-id") for invite in received]

    def invites(self, number: str) -> int:
        """How many INVITEs it received for calls to a number, which their Call-IDs hold."""
        return sum(number in call_id for call_id in self.call_ids())

    def invites_before_the_first_answer(self) -> int:
        """How many INVITEs it received before it sent the first final response to one."""
        count = 0
        for entry in tuple(self.site.record.entries):
            if entry.direction == "received":
                count += entry.text.startswith("INVITE ")
            elif _is_final_answer(Message.parse(entry.text)):
                break
        return count

    def wait_for(self, method: str, count: int = 1) -> None:
        """Wait until it has received so many requests of a method."""
        wait_until(
            lambda: len(self.received(method)) >= count, f"{self.uri} receives {count} {method}"
        )


def _is_final_answer(response: Message) -> bool:
    """Tell whether a response ends a query."""
    return response.method == "INVITE" and response.status >= FIRST_FINAL
