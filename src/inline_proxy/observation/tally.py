"""What is counted of calls, in plain numbers: a scrape alone makes metrics of them."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from inline_proxy.observation.call_set_up import SetUp
from inline_proxy.observation.disposition import disposition_of
from inline_proxy.observation.passport_claims import Passport
from inline_proxy.observation.plain_call import FIRST_ATTEMPT, REDIRECTED, PlainCall

LATENCY_BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
DELAY_BOUNDS_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1, 1.0)
ATTEMPT_BOUNDS: Final = (0, 1, 2, 3, 4, 6, 8, 12)
RING_BOUNDS_S: Final = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
TALK_BOUNDS_S: Final = (1.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0)
US_PER_S: Final = 1_000_000
MOST_TARGETS: Final = 200
"""Targets that are counted apart; the rest are one. ClearIP chooses them, and Prometheus pays."""
OTHER: Final = "other"


@dataclass(slots=True)
class Histogram:
    """Observations by the bound that they do not exceed."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Count a value."""
        self.total += value
        self.counts[bisect_left(self.bounds, value)] += 1

    def buckets(self) -> list[tuple[str, float]]:
        """Return (bound, cumulative count), as Prometheus wants them."""
        labels = [*(format(bound, "g") for bound in self.bounds), "+Inf"]
        seen, cumulative = 0, []
        for label, count in zip(labels, self.counts, strict=True):
            seen += count
            cumulative.append((label, float(seen)))
        return cumulative


def _counter() -> "Counter[tuple[str, ...]]":
    return Counter()


@dataclass(slots=True)
class Tally:
    """Everything that has been counted since this process started."""

    calls: "Counter[tuple[str, ...]]" = field(default_factory=_counter)
    """By disposition and source."""
    final_codes: "Counter[tuple[str, ...]]" = field(default_factory=_counter)
    answers: "Counter[tuple[str, ...]]" = field(default_factory=_counter)
    """ClearIP's, by site and code; `none` for silence."""
    latency_s: dict[str, Histogram] = field(default_factory=dict)
    """ClearIP's, by site."""
    own_delay_s: Histogram = field(default_factory=lambda: Histogram(DELAY_BOUNDS_S))
    attempts: Histogram = field(default_factory=lambda: Histogram(ATTEMPT_BOUNDS))
    answered_by: "Counter[tuple[str, ...]]" = field(default_factory=_counter)
    """Calls by the number of the attempt that answered."""
    targets: "Counter[tuple[str, ...]]" = field(default_factory=_counter)
    """Attempts by target (host and port) and result."""
    passports: "Counter[tuple[str, ...]]" = field(default_factory=_counter)
    """By ppt and attestation."""
    large_requests: "Counter[tuple[str, ...]]" = field(default_factory=_counter)
    """Attempts of more than 1,300 bytes, by transport."""
    ring_s: Histogram = field(default_factory=lambda: Histogram(RING_BOUNDS_S))
    talk_s: Histogram = field(default_factory=lambda: Histogram(TALK_BOUNDS_S))
    _known_targets: set[str] = field(default_factory=set)

    def dispositions(self) -> dict[str, int]:
        """Return the calls by disposition alone."""
        added: dict[str, int] = {}
        for (disposition, _), number in self.calls.items():
            added[disposition] = added.get(disposition, 0) + number
        return added

    def decided(self, told: SetUp | PlainCall) -> None:
        """Count a call attempt that has its final response."""
        if isinstance(told, PlainCall):
            self._count_plain(told)
        else:
            self._count(told)

    def _count_plain(self, told: PlainCall) -> None:
        self.calls[told.disposition, told.source or "unknown"] += 1
        self.final_codes[(str(told.status),)] += 1
        self.attempts.observe(1)
        self.answered_by[(FIRST_ATTEMPT,)] += 1
        self.own_delay_s.observe(told.own_delay_us / US_PER_S)
        if told.ring_us is not None:
            self.ring_s.observe(told.ring_us / US_PER_S)
        self._count_answer(told.site, REDIRECTED, told.latency_us)
        self._count_passports(told.passports)
        self._count_target(told.target, "answered")
        if told.is_large:
            self.large_requests[(told.transport,)] += 1

    def _count(self, told: SetUp) -> None:
        self.calls[disposition_of(told), told.source or "unknown"] += 1
        if told.status is not None:
            self.final_codes[(str(told.status),)] += 1
        self.attempts.observe(len(told.attempts))
        if told.answered_by:
            self.answered_by[(str(told.answered_by),)] += 1
        if told.own_delay_us is not None:
            self.own_delay_s.observe(told.own_delay_us / US_PER_S)
        if told.rang_us is not None and told.end_us is not None:
            self.ring_s.observe(max(0, told.end_us - told.rang_us) / US_PER_S)
        self._count_clearip(told)
        for attempt in told.attempts:
            self._count_target(attempt.target, attempt.result or "cut_off")
            if attempt.is_large:
                self.large_requests[(attempt.transport,)] += 1

    def ended(self, talk_us: int | None) -> None:
        """Count what is known only at the end."""
        if talk_us is not None:
            self.talk_s.observe(talk_us / US_PER_S)

    def _count_clearip(self, told: SetUp) -> None:
        for query in told.queries:
            if query.latency_us is not None:  # neither canceled, nor cut off
                self._count_answer(query.site, query.status, query.latency_us)
        self._count_passports(told.passports)

    def _count_answer(self, site: str, status: int | None, latency_us: int) -> None:
        self.answers[site, str(status or "none")] += 1
        if status is not None:
            if site not in self.latency_s:
                self.latency_s[site] = Histogram(LATENCY_BOUNDS_S)
            self.latency_s[site].observe(latency_us / US_PER_S)

    def _count_passports(self, passports: Iterable[Passport]) -> None:
        for passport in passports:
            self.passports[passport.ppt or "none", passport.attest or "none"] += 1

    def _count_target(self, uri: str, result: str) -> None:
        target = host_port(uri)
        if target not in self._known_targets:
            if len(self._known_targets) < MOST_TARGETS:
                self._known_targets.add(target)
            else:
                target = OTHER
        self.targets[target, result] += 1


def host_port(uri: str) -> str:
    """Return host and port of a URI, without user and parameters."""
    rest = uri.partition(":")[2].rpartition("@")[2]
    return rest.partition(";")[0].partition("?")[0].lower()
