"""What was told of a call attempt up to its final response, event by event.

A method for each kind of event; its parameters name the values, which stand in the spool in this
order and without names (`clearip_proxy/records/call_event.py`). A shorter event is one of an older
release, a longer one of a newer release: what is not known is passed over.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from inline_proxy.observation.passport_claims import passport_of

Event = list[Any]
"""Kind, microseconds on the monotonic clock, and values, as they stand in the spool."""
LARGEST_OVER_UDP: Final = 1_300
"""Bytes (RFC 3261 §18.1.1)."""
ADDED_BY_PROXY: Final = 250
"""Bytes that Via and Record-Route add, rounded up."""
FIRST_SUCCESS: Final = 200
_TRANSPORT: Final = re.compile(r";\s*transport=(?P<name>[a-z]+)", re.IGNORECASE)


@dataclass(slots=True)
class Query:
    """An INVITE to a ClearIP site, and its answer."""

    site: str
    asked_us: int
    status: int | None = None
    phrase: str = ""
    reasons: Sequence[str] = ()
    verdict: str | None = None
    latency_us: int | None = None
    """Without a status, how long it was waited for; None for what was canceled or cut off."""


@dataclass(slots=True)
class Attempt:
    """An INVITE to a target, and what became of it."""

    target: str
    hop: str
    at_us: int
    size_bytes: int
    is_signed: bool
    result: str | None = None
    status: int | None = None
    took_us: int | None = None

    @property
    def is_large(self) -> bool:
        """Whether it exceeds what goes over UDP (RFC 3261 §18.1.1)."""
        return is_large(self.size_bytes)

    @property
    def transport(self) -> str:
        """What it was sent over."""
        return transport_of(self.hop or self.target)


class SetUp:
    """A call attempt as far as its events have told of it."""

    answered_us: int | None = None
    """When ClearIP has answered last."""
    verdict: str | None = None
    clearip_status: int | None = None
    contacts: int | None = None
    is_diverted = False
    identities: Sequence[str] = ()
    asserted: Sequence[str] = ()
    own_delay_us: int | None = None
    answered_by: int | None = None
    is_signed = False
    rang_us: int | None = None
    end_us: int | None = None
    status: int | None = None
    phrase = ""
    is_canceled = False
    is_answered = False

    def __init__(self, events: Sequence[Event]) -> None:
        """Take the events in order; the first is the one that began it.

        Raises `AttributeError`, `TypeError` or `ValueError` where one cannot be understood.
        """
        self.queries: list[Query] = []
        self.attempts: list[Attempt] = []
        self.heard: list[tuple[int | None, str]] = []
        """Status and phrase of what ClearIP and targets have answered."""
        self.begun(*events[0][1:])
        for event in events[1:]:
            KINDS.get(event[0], _of_a_newer_release)(self, *event[1:])
        self.passports = [passport_of(identity) for identity in self.identities]

    def begun(  # noqa: PLR0913, PLR0917 - the order of the spool
        self,
        at_us: int,
        call_id: str = "",
        from_tag: str = "",
        from_uri: str = "",
        to_uri: str = "",
        address: str = "",
        source: str | None = None,
        size_bytes: int | None = None,
        is_emergency: bool = False,  # noqa: FBT001, FBT002
        is_asked: bool = False,  # noqa: FBT001, FBT002
        *_newer: object,
    ) -> None:
        """A call attempt was accepted; `is_asked` tells whether ClearIP has a say in it."""
        self.begun_us = at_us
        self.call_id, self.from_tag = call_id, from_tag
        self.from_uri, self.to_uri = from_uri, to_uri
        self.address, self.source = address, source
        self.size_bytes = size_bytes
        self.is_emergency, self.is_asked = is_emergency, is_asked

    def asked(self, at_us: int, site: str, *_newer: object) -> None:
        """A ClearIP site was sent the INVITE."""
        self.queries.append(Query(site, at_us))

    def clearip(  # noqa: PLR0913, PLR0917 - the order of the spool
        self,
        at_us: int,
        site: str,
        status: int | None,
        phrase: str = "",
        reasons: Sequence[str] = (),
        verdict: str | None = None,
        contacts: int | None = None,
        is_diverted: bool = False,  # noqa: FBT001, FBT002
        identities: Sequence[str] = (),
        asserted: Sequence[str] = (),
        *_newer: object,
    ) -> None:
        """A ClearIP site has answered; without a status, it has not in time."""
        self.answered_us = at_us
        self.clearip_status, self.verdict, self.contacts = status, verdict, contacts
        self.is_diverted, self.identities, self.asserted = is_diverted, identities, asserted
        self.heard.append((status, phrase))
        for query in self.queries:
            if query.latency_us is None and query.site == site:
                query.status, query.phrase, query.reasons = status, phrase, reasons
                query.verdict, query.latency_us = verdict, max(0, at_us - query.asked_us)

    def attempted(
        self,
        at_us: int,
        _number: int,
        target: str,
        hop: str = "",
        is_signed: bool = False,  # noqa: FBT001, FBT002
        added_bytes: int = 0,
        *_newer: object,
    ) -> None:
        """A target was sent the INVITE."""
        if self.own_delay_us is None:
            self.own_delay_us = max(0, at_us - self.begun_us - self._waited_us())
        self._attempt(at_us, target, hop, added_bytes, is_signed=is_signed)

    def _waited_us(self) -> int:
        """Return how long ClearIP has taken: all of its answers, and what passed between them."""
        if self.answered_us is None or not self.queries:
            return 0
        return max(0, self.answered_us - self.queries[0].asked_us)

    def _attempt(
        self, at_us: int, target: str, hop: str, added_bytes: int = 0, *, is_signed: bool = False
    ) -> None:
        self.is_signed = self.is_signed or is_signed
        size_bytes = sent_bytes(self.size_bytes, added_bytes)
        self.attempts.append(Attempt(target, hop, at_us, size_bytes, is_signed))

    def unreachable(
        self, at_us: int, _number: int, target: str, hop: str = "", *_newer: object
    ) -> None:
        """A target could not be sent the INVITE."""
        if not self.attempts or self.attempts[-1].result is not None:
            self._attempt(at_us, target, hop)
        self._result(at_us, "unreachable", None)

    def failed(
        self,
        at_us: int,
        _number: int,
        is_canceled: bool,  # noqa: FBT001
        status: int | None,
        phrase: str = "",
        *_newer: object,
    ) -> None:
        """A target has refused, or was silent for too long (no status)."""
        self.heard.append((status, phrase))
        if is_canceled:
            self._result(at_us, "canceled", None)
        else:
            self._result(at_us, "silent" if status is None else "failed", status)

    def rang(self, at_us: int, *_newer: object) -> None:
        """A target has sent a provisional response."""
        if self.rang_us is None:
            self.rang_us = at_us

    def answered(self, at_us: int, status: int = FIRST_SUCCESS, *_newer: object) -> None:
        """A target has sent a 2xx."""
        self.end_us, self.status, self.is_answered = at_us, status, True
        if self._result(at_us, "answered", status):
            self.answered_by = len(self.attempts)

    def finished(
        self,
        at_us: int,
        status: int,
        phrase: str = "",
        is_canceled: bool = False,  # noqa: FBT001, FBT002
        *_newer: object,
    ) -> None:
        """The caller was sent a final response other than a 2xx."""
        self.end_us, self.status = at_us, status
        self.phrase, self.is_canceled = phrase or self._heard_with(status), is_canceled

    def _result(self, at_us: int, result: str, status: int | None) -> bool:
        """Say what became of the attempt under way, where there is one."""
        if not self.attempts or self.attempts[-1].result is not None:
            return False
        attempt = self.attempts[-1]
        attempt.result, attempt.status = result, status
        attempt.took_us = max(0, at_us - attempt.at_us)
        return True

    def _heard_with(self, status: int) -> str:
        """Return the phrase that a relayed response came with."""
        return next((phrase for each, phrase in reversed(self.heard) if each == status), "")


def _of_a_newer_release(_told: SetUp, *_values: object) -> None:
    pass


KINDS: Final[dict[str, Callable[..., None]]] = {
    method.__name__: method
    for method in (
        SetUp.asked,
        SetUp.clearip,
        SetUp.attempted,
        SetUp.unreachable,
        SetUp.failed,
        SetUp.rang,
        SetUp.answered,
        SetUp.finished,
    )
}
"""What follows the beginning of a call attempt, by kind."""


def transport_of(uri: str) -> str:
    """Return the transport that a URI leads to (RFC 3263 §4.1)."""
    if uri[:5].lower() == "sips:":
        return "tls"
    named = _TRANSPORT.search(uri) if ";" in uri else None
    return named["name"].lower() if named else "udp"


def sent_bytes(received: int | None, added: int) -> int:
    """Return the size of the INVITE that a target is sent."""
    return (received or 0) + added + ADDED_BY_PROXY


def is_large(size_bytes: int) -> bool:
    """Whether an INVITE exceeds what goes over UDP (RFC 3261 §18.1.1)."""
    return size_bytes > LARGEST_OVER_UDP
