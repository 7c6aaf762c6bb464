"""The calls of limited sources, counted in memory that all of Kamailio's processes share.

A call counts from its INVITE on: until the ACK to its failure, until its BYE, or until it has
not been heard of for too long. Whoever brings a call's own entry from one to zero, and nobody
else, takes it off its source's count: so a BYE that comes twice, or from both sides, counts once.
"""

from clearip_proxy.decisions import AdmitCall, CountedCall, Reply
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.strangers import is_power_of_ten
from clearip_proxy.limits import (
    LONGEST_COUNTED_S,
    TOO_MANY_AT_ONCE,
    TOO_MANY_PER_SECOND,
    attempt_lasts_s,
    call_key,
    source_of_key,
)
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.sources import TrustedSource

RATES = "call_rates"
"""Shared table: call attempts, and refused ones, by source and second."""
CALLS = "calls_in_progress"
"""Shared table: one for a call that counts, zero for one that has ended."""
CALLS_OF_SOURCES = "calls_of_sources"
"""Shared table: how many calls that count a source has."""
SHARES = "cluster_shares"
"""Shared table: what the other nodes of a group leave of a source's limits, by its id."""
ENDED_ELSEWHERE = "ended_elsewhere"
"""Shared table: keys of calls that have ended here and are counted by another node."""
CALL_EXPIRED = f"htable:expired:{CALLS}"
REFUSED = "calls_over_limit"


class CallLimits:
    """Counts."""

    def __init__(self, ksr: KsrPort, policy: RoutingPolicy) -> None:
        self._ksr = ksr
        self._htable = ksr.htable
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._is_shared = policy.cluster is not None
        self._attempt_lasts_s = attempt_lasts_s(policy.search.search_timeout_ms)

    def refusal(self, attempt: AdmitCall, now_ms: int) -> Reply | None:
        """Count a call attempt; return the answer to one too many, and count that one no longer."""
        source, second = attempt.source, now_ms // 1000
        if source.max_cps is not None:
            begun = self._htable.sht_inc(RATES, f"{source.id} {second}")
            if begun > self._cps_left(source.id, source.max_cps):
                return self._refused(TOO_MANY_PER_SECOND, source, second)
        if source.max_calls is not None and not self._began(source, attempt.call_id):
            return self._refused(TOO_MANY_AT_ONCE, source, second)
        return None

    def _began(self, source: TrustedSource, call_id: str) -> bool:
        """Count a call; False when there was no room for it."""
        key = call_key(source.id, call_id)
        is_new = self._htable.sht_inc(CALLS, key) == 1
        self._htable.sht_setex(CALLS, key, self._attempt_lasts_s)
        if not is_new:  # another attempt with the Call-ID of a call that counts already
            self._end(key)
            return True
        calls = self._htable.sht_inc(CALLS_OF_SOURCES, source.id) + self._calls_elsewhere(source.id)
        if calls <= (source.max_calls or 0):
            return True
        self._end(key)
        return False

    def _cps_left(self, source_id: str, max_cps: int) -> int:
        """Return what the other nodes of the group leave of the limit."""
        share = self._htable.sht_get(SHARES, f"{source_id} cps") if self._is_shared else None
        return max_cps if share is None else min(int(share), max_cps)

    def _calls_elsewhere(self, source_id: str) -> int:
        """Return how many calls count on the other nodes of the group."""
        if not self._is_shared:
            return 0
        return int(self._htable.sht_get(SHARES, f"{source_id} calls") or 0)

    def goes_on(self, call: CountedCall) -> None:
        """Let a call that was answered count for longer than an attempt lasts."""
        self._htable.sht_setex(CALLS, call_key(call.source_id, call.call_id), LONGEST_COUNTED_S)

    def ended(self, call: CountedCall) -> None:
        """Count a call no longer, if it still counts."""
        key = call_key(call.source_id, call.call_id)
        if self._htable.sht_get(CALLS, key):
            self._end(key)
        elif self._is_shared:
            self._htable.sht_seti(ENDED_ELSEWHERE, key, 1)

    def ended_elsewhere(self, key: str) -> None:
        """Count a call no longer that another node of the group has seen the end of."""
        if self._htable.sht_get(CALLS, key):
            self._end(key)

    def _end(self, key: str) -> None:
        if self._htable.sht_dec(CALLS, key) == 0:
            # Removed by its expiry, not at once: the entry of a new attempt would go with it.
            self._htable.sht_setex(CALLS, key, 1)
            self._htable.sht_dec(CALLS_OF_SOURCES, source_of_key(key))

    def expired(self) -> None:
        """Count a call no longer that was never ended; its entry is being removed."""
        pv = self._ksr.pv
        if int(pv.get("$shtrecord(value)") or 0) > 0:
            source_id = source_of_key(str(pv.get("$shtrecord(key)")))
            self._htable.sht_dec(CALLS_OF_SOURCES, source_id)

    def _refused(self, reply: Reply, source: TrustedSource, second: int) -> Reply:
        """Say so for the first, tenth, hundredth in a second: not even a flood fills the log."""
        self._htable.sht_inc("counters", REFUSED)
        refused = self._htable.sht_inc(RATES, f"{source.id} {second} refused")
        if is_power_of_ten(refused):
            reason = reply.headers[-1][1].partition("text=")[2]
            self._log.note(
                f"refused: {reason} from {source.name or source.network} "
                f"(call {refused} in this second)"
            )
        return reply
