"""The figures as Prometheus reads them; made at each scrape of plain numbers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from inline_proxy import __version__
from inline_proxy.observation.certificate_dates import CertificateDate
from inline_proxy.observation.health import Observed
from inline_proxy.observation.kamailio_figures import KamailioFigures
from inline_proxy.observation.tally import Histogram, Tally

PREFIX = "inline_proxy_"
STATES = ("up", "resting", "probing", "connecting", "unverified", "down")
FROM_ZERO = ("calls_over_limit", "calls_shed", "events_lost", "requests_turned_away")
"""What alerts look at is there before it happens: a counter that begins at 1 has not increased."""
FORBIDDEN = "403"
RESULTS_OF_SITES = {"unanswered", "lost", "connections"}


class Figures(NamedTuple):
    """Everything that one scrape tells."""

    kamailio: KamailioFigures | None
    observed: Observed
    certificates: tuple[CertificateDate, ...]


class _Once:
    """A collector of metrics that are there already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> list[Metric]:
        """Give them to the registry."""
        return self._metrics


def exposition(figures: Figures) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(_metrics(figures)))
    return generate_latest(registry)


def _metrics(figures: Figures) -> Iterator[Metric]:
    observed = figures.observed
    yield from _of_calls(observed.tally)
    yield from _of_clearip(observed.tally, figures.kamailio)
    yield from _of_attempts(observed.tally)
    phases = {("setting_up",): observed.setting_up, ("conversation",): observed.conversations}
    yield _gauge("calls_in_progress", "Calls under way.", ["phase"], phases)
    yield _gauge("up", "Whether Kamailio answers.", [], {(): int(figures.kamailio is not None)})
    yield _gauge(
        "records_writable",
        "Whether call records can be written.",
        [],
        {(): int(observed.are_records_written)},
    )
    dropped = {(): observed.dropped_files}
    yield _counter("dropped_event_files", "Files of events dropped unread.", [], dropped)
    ends = {(each.owner,): each.ends.timestamp() for each in figures.certificates}
    text = "When a certificate ends; `proxy`, or the URI of a ClearIP site."
    yield _gauge("certificate_expiry_timestamp_seconds", text, ["certificate"], ends)
    kamailio = figures.kamailio
    versions = {(__version__, kamailio.version if kamailio else ""): 1}
    yield _gauge("build_info", "The releases that run.", ["version", "kamailio"], versions)
    if kamailio is not None:
        drained = {(): int(kamailio.is_draining)}
        yield _gauge("draining", "Whether calls are to go elsewhere.", [], drained)
        yield from _of_kamailio(kamailio)
        yield from _of_sites(kamailio)
        heard = {(node.address,): int(node.is_heard) for node in kamailio.nodes}
        text = "Whether a node of the cluster tells what it counts."
        yield _gauge("cluster_node_heard", text, ["node"], heard)


def _of_calls(tally: Tally) -> Iterator[Metric]:
    labels = ["disposition", "source"]
    yield _counter("calls", "Call attempts with a final response.", labels, tally.calls)
    yield _counter("final_responses", "What callers got.", ["code"], tally.final_codes)
    yield _histogram("ring_seconds", "How long it rang.", {(): tally.ring_s}, [])
    yield _histogram("talk_seconds", "How long people talked.", {(): tally.talk_s}, [])
    text = "What the proxy itself took before the first target was asked."
    yield _histogram("added_delay_seconds", text, {(): tally.own_delay_s}, [])


def _of_clearip(tally: Tally, kamailio: KamailioFigures | None) -> Iterator[Metric]:
    text = "ClearIP's answers to INVITEs; code none: no answer in time."
    sites = kamailio.sites if kamailio else ()
    answers = {(site.uri, FORBIDDEN): 0 for site in sites} | tally.answers
    yield _counter("clearip_responses", text, ["site", "code"], answers)
    latencies = {(site,): histogram for site, histogram in tally.latency_s.items()}
    yield _histogram("clearip_response_seconds", "ClearIP's time to answer.", latencies, ["site"])
    text = "PASSporTs that ClearIP returned."
    yield _counter("passports", text, ["ppt", "attest"], tally.passports)


def _of_attempts(tally: Tally) -> Iterator[Metric]:
    yield _histogram("attempts_per_call", "Targets tried.", {(): tally.attempts}, [])
    text = "Calls by the number of the attempt that answered."
    yield _counter("answered_calls", text, ["attempt"], tally.answered_by)
    text = "Attempts at targets, by what became of them."
    yield _counter("target_attempts", text, ["target", "result"], tally.targets)
    text = "INVITEs of more than 1,300 bytes sent to targets."
    yield _counter("large_requests", text, ["transport"], tally.large_requests)


def _of_kamailio(kamailio: KamailioFigures) -> Iterator[Metric]:
    yield _gauge("uptime_seconds", "Since Kamailio started.", [], {(): kamailio.uptime_s})
    yield _gauge("workers", "Kamailio's processes.", [], {(): kamailio.workers})
    yield _gauge("transactions", "Transactions in memory.", [], {(): kamailio.transactions})
    connections, tls = kamailio.connections, kamailio.connections["opened_tls_connections"]
    opened = {("tls",): tls, ("tcp",): connections["opened_connections"] - tls}
    yield _gauge("connections", "Open connections.", ["transport"], opened)
    limit = {(): connections["max_connections"]}
    yield _gauge("connections_limit", "Connections that may be open.", [], limit)
    memory = kamailio.shared_memory
    used, size = {(): memory["real_used"]}, {(): memory["total"]}
    yield _gauge("shared_memory_used_bytes", "Kamailio's shared memory in use.", [], used)
    yield _gauge("shared_memory_size_bytes", "Kamailio's shared memory.", [], size)
    packages = {(name,): used for name, used, _ in kamailio.package_memory}
    yield _gauge("process_memory_used_bytes", "A process's own pool.", ["process"], packages)
    sizes = {(name,): size for name, _, size in kamailio.package_memory}
    yield _gauge("process_memory_size_bytes", "A process's own pool.", ["process"], sizes)
    counters = dict.fromkeys(FROM_ZERO, 0) | dict(kamailio.counters)
    counted = {(name,): number for name, number in counters.items()}
    text = "What the routing script counts: limits hit, faults in the set-up, events lost."
    yield _counter("occurrences", text, ["what"], counted)


def _of_sites(kamailio: KamailioFigures) -> Iterator[Metric]:
    up = {(site.uri,): int(site.is_up) for site in kamailio.sites}
    yield _gauge("clearip_site_up", "Whether calls may be sent to a site.", ["site"], up)
    states = {
        (site.uri, state): int(site.state == state) for site in kamailio.sites for state in STATES
    }
    yield _gauge("clearip_site_state", "A site's breaker.", ["site", "state"], states)
    counted = {
        (site, what): number
        for key, number in kamailio.site_counts.items()
        for site, _, what in [key.rpartition(" ")]
        if what in RESULTS_OF_SITES
    }
    text = "Queries left unanswered or lost, and connections verified."
    yield _counter("clearip_site_events", text, ["site", "what"], counted)


Values = Mapping[Any, float]
"""A number by the values of the labels, a tuple of texts."""


def _counter(name: str, text: str, labels: list[str], values: Values) -> Metric:
    metric = CounterMetricFamily(PREFIX + name, text, labels=labels)
    for key, value in values.items():
        metric.add_metric(key, value)
    return metric


def _gauge(name: str, text: str, labels: list[str], values: Values) -> Metric:
    metric = GaugeMetricFamily(PREFIX + name, text, labels=labels)
    for key, value in values.items():
        metric.add_metric(key, value)
    return metric


def _histogram(name: str, text: str, values: Mapping[Any, Histogram], labels: list[str]) -> Metric:
    metric = HistogramMetricFamily(PREFIX + name, text, labels=labels)
    for key, histogram in values.items():
        metric.add_metric(key, histogram.buckets(), histogram.total)
    return metric
