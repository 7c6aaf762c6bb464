"""The DNS as tests tell it: records, names that are slow, and names that nobody answers for."""

import threading
from collections import defaultdict
from dataclasses import dataclass

from sipp.dns_socket import Client, DnsSocket, Question, question_in

ADDRESS = "127.0.0.54"
TTL_S = 60


class DnsZone(DnsSocket):
    """Knows the records that it has been given."""

    def __init__(self) -> None:
        super().__init__(ADDRESS)
        self.questions: list[Question] = []
        """In order."""
        self._records: dict[Question, list[str]] = defaultdict(list)
        self._held: dict[str, list[tuple[bytes, Client]]] = {}
        self._lock = threading.Lock()

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

    def take(self, wire: bytes, client: Client) -> None:
        """Remember the question, and answer it unless its name is held."""
        question = question_in(wire)
        with self._lock:
            self.questions.append(question)
            if question.name in self._held:
                self._held[question.name].append((wire, client))
                return
        self._answer(wire, client)

    def _answer(self, wire: bytes, client: Client) -> None:
        question = question_in(wire)
        records = tuple(self._records.get(question, ()))
        is_known = any(question.name == each.name for each in self._records)
        self.answer(wire, client, records, is_known=is_known, ttl_s=TTL_S)


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
