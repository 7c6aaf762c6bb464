"""The DNS as tests tell it: records, names that are slow, and names that nobody answers for."""

import socket
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

ADDRESS = "127.0.0.54"
LARGEST = 65_535
STOP = b"stop"


class Question(NamedTuple):
    """What was asked."""

    name: str
    kind: str
    """A record type, such as `SRV`."""


class DnsZone:
    """A name server on UDP port 53 (RFC 1035 §4.1) that knows the records it has been given."""

    def __init__(self) -> None:
        self.questions: list[Question] = []
        """In order."""
        self._records: dict[Question, list[str]] = defaultdict(list)
        self._held: dict[str, list[tuple[bytes, tuple[str, int]]]] = {}
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, 53))
        self._thread = threading.Thread(target=self._serve, name="dns-zone")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(STOP, (ADDRESS, 53))
        self._thread.join()
        self._socket.close()

    # What it knows

    def add(self, name: str, kind: str, *records: str) -> None:
        """Know records of one type, each as a zone file has it; names in them end with a dot."""
        with self._lock:
            self._records[Question(name, kind)].extend(records)

    def hold(self, name: str) -> None:
        """Leave questions about a name unanswered until it is released."""
        with self._lock:
            self._held.setdefault(name, [])

    def release(self, name: str) -> None:
        """Answer what has been asked about a name, and what will be."""
        with self._lock:
            held = self._held.pop(name)
        for wire, client in held:
            self._answer(wire, client)

    # What it was asked

    def asked(self, name: str, kind: str | None = None) -> int:
        """Return how often a name has been asked for, in all or for one type."""
        return sum(
            each.name == name and kind in {None, each.kind} for each in tuple(self.questions)
        )

    def _serve(self) -> None:
        while (received := self._socket.recvfrom(LARGEST))[0] != STOP:
            wire, client = received
            name, kind = _question(wire)
            with self._lock:
                self.questions.append(Question(name, kind))
                if name in self._held:
                    self._held[name].append((wire, client))
                    continue
            self._answer(wire, client)

    def _answer(self, wire: bytes, client: tuple[str, int]) -> None:
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        question = _question(wire)
        if question in self._records:
            records = self._records[question]
            found = dns.rrset.from_text(f"{question.name}.", 60, "IN", question.kind, *records)
            response.answer.append(found)
        elif all(question.name != each.name for each in self._records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self._socket.sendto(response.to_wire(), client)


@dataclass(frozen=True, slots=True)
class Domain:
    """A name, and what stands below it."""

    zone: DnsZone
    name: str

    def add(self, kind: str, *records: str, below: str = "") -> None:
        """Know records of one type, of the name or of one `below` it."""
        self.zone.add(f"{below}.{self.name}".lstrip("."), kind, *records)

    def hold(self) -> None:
        """Leave questions about it unanswered until it is released."""
        self.zone.hold(self.name)

    def release(self) -> None:
        """Answer what has been asked, and what will be."""
        self.zone.release(self.name)

    def asked(self, kind: str | None = None) -> int:
        """Return how often it has been asked for, in all or for one type."""
        return self.zone.asked(self.name, kind)


def _question(wire: bytes) -> Question:
    [question] = dns.message.from_wire(wire).question
    return Question(
        question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    )
