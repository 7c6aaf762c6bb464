"""What is counted of calls, in plain numbers: a scrape alone makes metrics of them."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from inline_proxy.observation.call_record import Record

LATENCY_BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
DELAY_BOUNDS_S: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1, 1.0)
ATTEMPT_BOUNDS: Final = (0, 1, 2, 3, 4, 6, 8, 12)
RING_BOUNDS_S: Final = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)
TALK_BOUNDS_S: Final = (1.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0)
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

    def decided(self, record: Record) -> None:
        """Count a call attempt that has its final response."""
        self.calls[record["disposition"], record["source"] or "unknown"] += 1
        if record["status"] is not None:
            self.final_codes[(str(record["status"]),)] += 1
        self.attempts.observe(len(record["attempts"]))
        if record["answered_by"]:
            self.answered_by[(str(record["answered_by"]),)] += 1
        if record["own_delay_ms"] is not None:
            self.own_delay_s.observe(record["own_delay_ms"] / 1000)
        if record["ring_ms"] is not None:
            self.ring_s.observe(record["ring_ms"] / 1000)
        self._count_clearip(record)
        self._count_attempts(record)

    def ended(self, record: Record) -> None:
        """Count what is known only at the end."""
        if record["talk_ms"] is not None:
            self.talk_s.observe(record["talk_ms"] / 1000)

    def _count_clearip(self, record: Record) -> None:
        for query in record["clearip"]:
            site = query["site"]
            if query["latency_ms"] is None:
                continue  # canceled, or cut off
            self.answers[site, str(query["status"] or "none")] += 1
            if query["status"] is not None:
                self.latency_s.setdefault(site, Histogram(LATENCY_BOUNDS_S)).observe(
                    query["latency_ms"] / 1000
                )
        for passport in record["passports"]:
            self.passports[passport["ppt"] or "none", passport.get("attest") or "none"] += 1

    def _count_attempts(self, record: Record) -> None:
        for attempt in record["attempts"]:
            result = attempt["result"] or "cut_off"
            self.targets[self._target(attempt), result] += 1
            if attempt["over_1300_bytes"]:
                self.large_requests[(attempt["transport"],)] += 1

    def _target(self, attempt: Record) -> str:
        target = host_port(attempt["target"])
        if target not in self._known_targets and len(self._known_targets) >= MOST_TARGETS:
            return OTHER
        self._known_targets.add(target)
        return target


def host_port(uri: str) -> str:
    """Return host and port of a URI, without user and parameters."""
    rest = uri.partition(":")[2].rpartition("@")[2]
    return rest.partition(";")[0].partition("?")[0].lower()
