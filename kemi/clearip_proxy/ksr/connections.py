"""TCP and TLS connections that others open: one that never says anything whole is closed.

Kamailio keeps a connection as long as its lifetime, and bytes of any kind renew that. The lifetime
is also where it is kept, for as long as the connection is there, whether it was heard.
"""

import json
from typing import Any

from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.policy import RoutingPolicy

HEARD_LIFETIME_S = 7200
"""How long a connection may be idle on which a whole message has come; longer than any other's."""
MOST_REMEMBERED = 4096
"""Connections that a process knows to be heard."""
LOOK_INTERVAL_MS = 2_000
MUTE = "mute_connections_closed"
"""The counter of connections that were closed before they said anything."""
_LIST = '{"jsonrpc": "2.0", "method": "core.tcp_list", "id": 1}'


class HeardConnections:
    """Marks the connections on which messages come."""

    def __init__(self, ksr: KsrPort) -> None:
        self._tcpops = ksr.tcpops
        self._heard: set[int] = set()
        """Connections that are marked; an id is never given twice."""

    def hear(self, connection: int) -> None:
        """Take note that a message has come on a connection; what that costs, it costs once."""
        if connection in self._heard:
            return
        if len(self._heard) >= MOST_REMEMBERED:
            self._heard.clear()
        self._heard.add(connection)
        self._tcpops.tcp_set_connection_lifetime_cid(connection, HEARD_LIFETIME_S)


class MuteConnections:
    """Closes those that were opened a while ago and say nothing; run by the timer's process."""

    def __init__(self, ksr: KsrPort, policy: RoutingPolicy) -> None:
        self._ksr = ksr
        self._log = KsrLog(ksr)
        self._memory = KsrMemory(ksr)
        self._longest_ms = policy.first_message_s * 1000
        self._ports = frozenset(int(each.rpartition(":")[2]) for each in policy.own)
        self._seen_ms: dict[int, int] = {}
        """When a mute connection was seen first, by its id."""
        self._next_ms = 0

    def tick(self, now_ms: int) -> None:
        """Look at all connections now and then."""
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + LOOK_INTERVAL_MS
        mute = {int(each["id"]): str(each["src_ip"]) for each in self._listed() if self._is(each)}
        self._seen_ms = {id_: self._seen_ms.get(id_, now_ms) for id_ in mute}
        overdue = [id_ for id_, seen_ms in self._seen_ms.items() if self._is_over(seen_ms, now_ms)]
        for connection in overdue:
            self._ksr.tcpops.tcp_close_connection_id(connection)
            self._memory.count(MUTE)
        if overdue:
            self._log.note_of_no_call(
                f"closed: {len(overdue)} connections without a message in "
                f"{self._longest_ms // 1000} s, the first from {mute[overdue[0]]}"
            )

    def _is_over(self, seen_ms: int, now_ms: int) -> bool:
        return now_ms - seen_ms >= self._longest_ms

    def _is(self, listed: dict[str, Any]) -> bool:
        """Tell a connection that others have opened and that was not heard yet."""
        return listed["dst_port"] in self._ports and listed["lifetime"] < HEARD_LIFETIME_S

    def _listed(self) -> list[dict[str, Any]]:
        self._ksr.jsonrpcs.exec(_LIST)
        listed: list[dict[str, Any]] = json.loads(str(self._ksr.jsonrpcs.response()))["result"]
        return listed
