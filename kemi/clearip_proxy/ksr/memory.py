"""What the proxy has learnt of targets, in memory that all of Kamailio's processes share.

Everything in it is forgotten after a while, so that what changes outside is learnt again.
"""

import json

from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.location.target_way import NextHops, Refusals

ADDRESSES = "addresses"
"""Shared table: target to the next hops that it leads to."""
TCP_TAKEN = "tcp_taken"
"""Shared table: `host:port` of targets that took a TCP connection a short while ago."""
NODE, DRAINING = "node", "draining"
"""Shared table, and its key that the operator's command sets: calls are to go elsewhere."""
COUNTERS = "counters"
"""Shared table: what has been counted since Kamailio started."""


class KsrMemory:
    """The shared tables, with their values typed."""

    def __init__(self, ksr: KsrPort) -> None:
        self._htable = ksr.htable

    def next_hops(self, key: str) -> NextHops | None:
        """Return where a target leads; None: not known."""
        text = self._htable.sht_get(ADDRESSES, key)
        if text is None:
            return None
        hops, why_none = json.loads(str(text))
        return NextHops(tuple(hops), why_none)

    def learn_next_hops(self, key: str, next_hops: NextHops, ttl_s: int) -> None:
        """Keep where a target leads for as long as the DNS allows."""
        self._htable.sht_setxs(ADDRESSES, key, json.dumps(next_hops), ttl_s)

    def count(self, what: str) -> None:
        """Add one to a counter, such as `large_requests_over_tcp`."""
        self._htable.sht_inc(COUNTERS, what)

    def is_draining(self) -> bool:
        """Tell whether the operator lets calls go elsewhere."""
        return bool(self._htable.sht_get(NODE, DRAINING))

    def takes_tcp(self, host_port: str, refusals: Refusals) -> bool | None:
        """Return whether a target takes TCP; None: not known.

        `refusals` is the table that counts: a target that has UDP as well may refuse for long,
        one that has not is asked again soon.
        """
        if self._htable.sht_get(TCP_TAKEN, host_port) is not None:
            return True
        return False if self._htable.sht_get(refusals, host_port) is not None else None

    def learn_tcp(self, host_port: str, refusals: Refusals, *, taken: bool) -> None:
        """Keep whether a target takes TCP for as long as the tables do."""
        self._htable.sht_rm(refusals if taken else TCP_TAKEN, host_port)
        self._htable.sht_seti(TCP_TAKEN if taken else refusals, host_port, 1)
