"""What a node tells the others of its group, and what it makes of what they tell.

Run by the timer that looks after the ClearIP sites, in its process alone. A table that Kamailio
replicates (DMQ) has one entry per node, which that node alone writes: so nothing can be in
conflict. Calls read the result in tables of this node's own; none of them waits for another node.
"""

import json
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from clearip_proxy.cluster.group import Group
from clearip_proxy.cluster.message import NEWS
from clearip_proxy.cluster.news import Load, News, to_text
from clearip_proxy.ksr.calls import CALLS_OF_SOURCES, ENDED_ELSEWHERE, RATES, SHARES, CallLimits
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.memory import COUNTERS, KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.policy import ClusterPolicy, RoutingPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers

NODES = "cluster_nodes"
"""Table of this node's own, for the operator's command: what each node told last, by its address;
empty for one that is not heard."""
OWN = "own"
"""Its key under which this node's own address stands."""
OBSERVED = "observed"
"""Table, and its key, that the observer sets: what it has counted."""
SECOND_MS = 1_000
REPEATED_S = 5
"""So many times the end of a call is told: a datagram may be lost."""
MOST_ENDED = 1_000
"""Ends of calls that one text holds at most; the others wait. A datagram takes 65,535 bytes."""
ITERATOR = "cluster"


class ClusterKeeper:
    """Tells once a second, and listens ten times."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: RoutingPolicy,
        cluster: ClusterPolicy,
        numbers: SharedNumbers,
        now_ms: int,
    ) -> None:
        self._ksr = ksr
        self._htable = ksr.htable
        self._limited = policy.trusted.limited
        self._cluster = cluster
        self._numbers = numbers
        self._group = Group(cluster.address, cluster.peers, now_ms)
        self._calls = CallLimits(ksr, policy)
        self._sites = KsrSites(ksr)
        self._memory = KsrMemory(ksr)
        self._log = KsrLog(ksr)
        self._second = 0
        self._start = secrets.token_hex(4)
        self._told_ms = now_ms
        self._begun = numbers.calls_begun
        self._ended: deque[tuple[int, str]] = deque()
        self._done: dict[str, int] = {}
        """Calls whose end on another node is known, and the second that it was told in."""
        self._htable.sht_sets(NODES, OWN, cluster.address)
        for name in cluster.peers:
            self._htable.sht_sets(NODES, name, "")

    def tick(self, now_ms: int, states: Callable[[], Mapping[str, str]]) -> None:
        """Listen; tell, when a second has begun; `states` are those of the ClearIP sites."""
        heard = [news for name in self._group.peers if (news := self._hear(name, now_ms))]
        changes = self._group.changes(now_ms)
        for name, is_heard in changes:
            self._note(name, is_heard=is_heard)
        if heard or changes:
            self._follow(heard)
        if now_ms // SECOND_MS != self._second:
            self._second = now_ms // SECOND_MS
            self._tell(now_ms, states())

    # Listening

    def _hear(self, name: str, now_ms: int) -> News | None:
        text = str(self._htable.sht_get(NEWS, name) or "")
        news = self._group.hear(name, text, now_ms) if text else None
        if news is not None:
            self._htable.sht_sets(NODES, name, text)
        return news

    def _note(self, name: str, *, is_heard: bool) -> None:
        if is_heard:
            self._log.note_of_no_call(f"node {name} of the cluster is heard")
            return
        self._htable.sht_sets(NODES, name, "")
        self._log.fault_of_no_call(
            f"node {name} of the cluster is not heard: limits are counted without it"
        )

    def _follow(self, heard: Iterable[News]) -> None:
        """Let calls feel what the others have told."""
        for source in self._limited:
            if source.max_calls is not None:
                calls = self._group.calls_of_others(source.id)
                self._htable.sht_seti(SHARES, f"{source.id} calls", calls)
            if source.max_cps is not None:
                share = self._group.own_cps(source.id, source.max_cps)
                self._htable.sht_seti(SHARES, f"{source.id} cps", share)
        for hop in self._group.resting():
            self._sites.is_warned_of(hop)
        for key in {key for news in heard for key in news.ended}:
            if key not in self._done:
                self._calls.ended_elsewhere(key)
            self._done[key] = self._second
        self._done = {
            key: second for key, second in self._done.items() if self._second - second < REPEATED_S
        }

    # Telling

    def _tell(self, now_ms: int, states: Mapping[str, str]) -> None:
        begun = self._numbers.calls_begun
        elapsed_ms = max(1, now_ms - self._told_ms)
        news = News(
            sequence=self._second,
            start=self._start,
            release=self._cluster.release,
            is_draining=self._memory.is_draining(),
            begun=begun,
            cps=(begun - self._begun) * SECOND_MS // elapsed_ms,
            sources=dict(self._loads()),
            sites=dict(states),
            counters={key: int(value) for key, value in self._entries(COUNTERS)},
            ended=self._newly_ended(),
            observed=self._observed(),
        )
        self._told_ms, self._begun = now_ms, begun
        text = to_text(news)
        self._htable.sht_sets(NEWS, self._cluster.address, text)
        self._htable.sht_sets(NODES, self._cluster.address, text)

    def _loads(self) -> Iterator[tuple[str, Load]]:
        for source in self._limited:
            attempts = self._number(RATES, f"{source.id} {self._second - 1}")
            load = Load(attempts, max(0, self._number(CALLS_OF_SOURCES, source.id)))
            if any(load):
                yield source.id, load

    def _newly_ended(self) -> tuple[str, ...]:
        """Return the ends to tell: those of the last seconds, and new ones as far as they fit."""
        while self._ended and self._second - self._ended[0][0] >= REPEATED_S:
            self._ended.popleft()
        room = MOST_ENDED - len(self._ended)
        for key, _ in self._entries(ENDED_ELSEWHERE)[:room]:
            self._htable.sht_rm(ENDED_ELSEWHERE, key)
            self._ended.append((self._second, key))
        return tuple(key for _, key in self._ended)

    def _observed(self) -> dict[str, int]:
        """Return what the observer has counted, as long as it goes on counting."""
        text = str(self._htable.sht_get(OBSERVED, OBSERVED) or "{}")
        return {name: int(value) for name, value in json.loads(text).items()}

    def _entries(self, table: str) -> list[tuple[str, str]]:
        """Return a table's keys and values; nothing may be changed before its end is reached."""
        found = []
        self._htable.sht_iterator_start(ITERATOR, table)
        while self._htable.sht_iterator_next(ITERATOR) > 0:
            key = self._ksr.pv.get(f"$shtitkey({ITERATOR})")
            found.append((str(key), str(self._ksr.pv.get(f"$shtitval({ITERATOR})"))))
        self._htable.sht_iterator_end(ITERATOR)
        return found

    def _number(self, table: str, key: str) -> int:
        return int(self._htable.sht_get(table, key) or 0)
