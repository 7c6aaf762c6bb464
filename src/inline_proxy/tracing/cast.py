"""Who sends a message and who gets it: caller, proxy, ClearIP or a target."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from inline_proxy.lab.message import Message
from inline_proxy.tracing.hep import Copy, Endpoint

CALLER, PROXY, CLEARIP, TARGET = "caller", "proxy", "ClearIP", "target"
MOST_KNOWN: Final = 5_000
"""Ends of calls that are remembered."""


class Cast:
    """Learns who is where from the INVITEs that pass."""

    def __init__(self, listeners: Iterable[str], clearip_domain: str) -> None:
        """`listeners` are the proxy's own `address:port`, as siptrace names what is sent."""
        self._listeners = frozenset(listeners)
        self._domain = clearip_domain.lower()
        self._sites: set[str] = set()
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()

    def ends(self, copy: Copy, message: Message) -> tuple[str, str]:
        """Return who has sent a message and who gets it."""
        is_sent = str(copy.source) in self._listeners
        peer = copy.destination if is_sent else copy.source
        if message.is_request and message.method == "INVITE":
            self._learn(peer, message, is_sent=is_sent)
        elif not is_sent and _redirects(message) and copy.transport == "tls":
            # The copy of its INVITE comes from another process of Kamailio's, and may come later.
            self._sites.add(str(peer))
        role = self._role(peer, message.header("call-id"))
        return (PROXY, role) if is_sent else (role, PROXY)

    def _learn(self, peer: Endpoint, message: Message, *, is_sent: bool) -> None:
        if is_sent and self._is_for_clearip(message.request_uri):
            self._sites.add(str(peer))
            return
        for place in (str(peer), str(peer.address)):
            known = message.header("call-id"), place
            self._known.setdefault(known, TARGET if is_sent else CALLER)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def _role(self, peer: Endpoint, call_id: str) -> str:
        if str(peer) in self._sites:
            return CLEARIP
        places = (str(peer), str(peer.address))
        return next(
            (self._known[call_id, p] for p in places if (call_id, p) in self._known), TARGET
        )

    def _is_for_clearip(self, uri: str) -> bool:
        host = uri.rpartition("@")[2].partition(";")[0].partition(":")[0].lower()
        return host == self._domain or host.endswith(f".{self._domain}")


def _redirects(message: Message) -> bool:
    return not message.is_request and message.status // 100 == 3  # noqa: PLR2004 - RFC 3261 §21.3
