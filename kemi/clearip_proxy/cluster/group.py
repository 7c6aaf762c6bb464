"""What a node knows of the others: their last news, and whether they are still heard.

Time is the node's own monotonic clock alone: neither another node's clock nor a clock that jumps
makes old news new, or new news old.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from clearip_proxy.cluster.fair_share import own_share
from clearip_proxy.cluster.news import News, NotNewsError, from_text

SILENT_AFTER_MS = 3_000
"""A node that has told nothing new for so long is gone, or cut off: its numbers count no more."""


@dataclass(slots=True)
class Peer:
    """Another node, as it was heard last."""

    heard_ms: int
    """When it was heard last; at the start, when it began to be listened for."""
    text: str = ""
    news: News | None = None
    is_heard: bool | None = None
    """None while it is waited for, at the start."""


def is_older(news: News, known: News) -> bool:
    """Tell whether news were told before those that are known: Kamailio repeats for 30 seconds."""
    return news.start == known.start and news.sequence <= known.sequence


class Group:
    """The other nodes."""

    def __init__(self, own: str, peers: Iterable[str], now_ms: int) -> None:
        self._own = own
        self.peers: Mapping[str, Peer] = {name: Peer(now_ms) for name in peers}

    def hear(self, name: str, text: str, now_ms: int) -> News | None:
        """Take what a node tells; None where that is nothing new, or cannot be read."""
        peer = self.peers[name]
        if text == peer.text:
            return None
        try:
            news = from_text(text)
        except NotNewsError:
            return None
        if peer.news is not None and is_older(news, peer.news):
            return None
        peer.text, peer.news, peer.heard_ms = text, news, now_ms
        return news

    def changes(self, now_ms: int) -> list[tuple[str, bool]]:
        """Return who is heard since the last time, and who is not any more, or never was."""
        changed = []
        for name, peer in self.peers.items():
            is_silent = now_ms - peer.heard_ms >= SILENT_AFTER_MS
            is_heard = peer.news is not None and not is_silent
            if (is_heard or is_silent) and is_heard != peer.is_heard:
                peer.is_heard = is_heard
                changed.append((name, is_heard))
        return changed

    def heard(self) -> dict[str, News]:
        """Return the news of those that are heard."""
        return {
            name: peer.news
            for name, peer in self.peers.items()
            if peer.is_heard and peer.news is not None
        }

    def calls_of_others(self, source_id: str) -> int:
        """Return how many calls of a source count on the other nodes."""
        loads = (news.sources.get(source_id) for news in self.heard().values())
        return sum(load.calls for load in loads if load is not None)

    def own_cps(self, source_id: str, max_cps: int) -> int:
        """Return how much of a source's calls per second this node may take."""
        demands = {
            name: load.attempts
            for name, news in self.heard().items()
            if (load := news.sources.get(source_id)) is not None
        }
        return own_share(max_cps, self._own, demands)

    def resting(self) -> frozenset[str]:
        """Return the addresses of ClearIP sites that another node has left alone."""
        return frozenset(
            uri
            for news in self.heard().values()
            for uri, state in news.sites.items()
            if state in {"resting", "probing"}
        )
