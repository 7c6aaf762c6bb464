"""UDP port 53 (RFC 1035 §4.1), served in a thread while a test runs."""

import socket
import threading
from typing import NamedTuple, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Client = tuple[str, int]

LARGEST = 65_535
STOP = b"stop"


class Question(NamedTuple):
    """What was asked."""

    name: str
    kind: str
    """A record type, such as `SRV`."""


class DnsSocket:
    """Hands every question to `take`, which a name server defines."""

    def __init__(self, address: str) -> None:
        self._address = (address, 53)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(self._address)
        self._thread = threading.Thread(target=self._serve, name=f"dns-{address}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(STOP, self._address)
        self._thread.join()
        self._socket.close()

    def take(self, wire: bytes, client: Client) -> None:
        """Do what this name server does with a question."""
        raise NotImplementedError

    def answer(
        self, wire: bytes, client: Client, records: tuple[str, ...], *, is_known: bool, ttl_s: int
    ) -> None:
        """Say which records there are; none of a name that is not known is `NXDOMAIN`."""
        response = dns.message.make_response(dns.message.from_wire(wire))
        response.flags |= dns.flags.RA
        name, kind = question_in(wire)
        if records:
            response.answer.append(dns.rrset.from_text(f"{name}.", ttl_s, "IN", kind, *records))
        elif not is_known:
            response.set_rcode(dns.rcode.NXDOMAIN)
        self._socket.sendto(response.to_wire(), client)

    def _serve(self) -> None:
        while (received := self._socket.recvfrom(LARGEST))[0] != STOP:
            self.take(*received)


def question_in(wire: bytes) -> Question:
    """Read the one question of a query."""
    [question] = dns.message.from_wire(wire).question
    name = question.name.to_text(omit_final_dot=True).lower()
    return Question(name, dns.rdatatype.to_text(question.rdtype))
