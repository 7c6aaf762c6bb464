"""How many calls a trusted source may begin in a second, and have at one time."""

from hashlib import blake2s

from clearip_proxy.decisions import Reply
from clearip_proxy.sources import TrustedSource

LONGEST_COUNTED_S = 4 * 3600
"""After this long without a request that renews it a call no longer counts: its BYE was lost."""
_SHORTEST_ANSWER_S = 60
"""What an attempt may last besides the search, until its ACK has come."""


def refusal(why: str, retry_after_s: int) -> Reply:
    """Tell a switch that it may come again (RFC 3261 §21.5.4)."""
    reason = f'SIP;cause=503;text="{why}"'
    headers = (("Retry-After", str(retry_after_s)), ("Reason", reason))
    return Reply(503, "Service Unavailable", headers)


TOO_MANY_PER_SECOND = refusal("too many calls per second", 1)
TOO_MANY_AT_ONCE = refusal("too many calls at one time", 5)


def attempt_lasts_s(search_timeout_ms: int) -> int:
    """Return how long an attempt counts that nobody ends."""
    return search_timeout_ms // 1000 + _SHORTEST_ANSWER_S


def call_key(source_id: str, call_id: str) -> str:
    """Return what a call is counted under, of one length however long its Call-ID is."""
    octets = call_id.encode("utf-8", "surrogateescape")
    return f"{source_id} {blake2s(octets, digest_size=8).hexdigest()}"


def source_of_key(key: str) -> str:
    """Return the source that a `call_key` was made for."""
    return key.partition(" ")[0]


def is_limited(source: TrustedSource) -> bool:
    """Tell whether calls of the source are counted at all."""
    return source.max_cps is not None or source.max_calls is not None
