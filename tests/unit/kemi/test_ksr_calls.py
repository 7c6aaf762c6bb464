"""The calls of limited sources, counted."""

from ipaddress import ip_network

import pytest

from clearip_proxy.decisions import AdmitCall, CountedCall, QueryClearIp, Reply
from clearip_proxy.ksr.calls import CallLimits
from clearip_proxy.limits import TOO_MANY_AT_ONCE, TOO_MANY_PER_SECOND, call_key
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sources import TrustedSource, TrustedSources
from unit.kemi.fake_ksr import FakeKsr

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(),
)
NETWORK = ip_network("192.0.2.10/32")
QUERY = QueryClearIp(ResponseContext())
FAST = TrustedSource(NETWORK, "switch-a", max_cps=2, id="ab")
FULL = TrustedSource(NETWORK, "switch-a", max_calls=2, id="ab")


def limits(ksr: FakeKsr) -> CallLimits:
    """What counts."""
    return CallLimits(ksr, POLICY)


def attempts(ksr: FakeKsr, source: TrustedSource, *calls: str, now_ms: int = 0) -> list[Reply]:
    """Begin calls; return the refusals."""
    replies = [limits(ksr).refusal(AdmitCall(source, call, QUERY), now_ms) for call in calls]
    return [reply for reply in replies if reply is not None]


def in_progress(ksr: FakeKsr) -> int | str:
    """How many calls count for the source."""
    return ksr.tables["calls_of_sources"]["ab"]


def test_call_too_many_in_a_second_is_refused_until_the_next() -> None:
    """Two pass in each."""
    ksr = FakeKsr()

    assert attempts(ksr, FAST, "1", "2", "3", "4", now_ms=5_999) == [TOO_MANY_PER_SECOND] * 2
    assert attempts(ksr, FAST, "5", "6", now_ms=6_000) == []


def test_call_too_many_at_one_time_is_refused_until_one_ends() -> None:
    """The refused one does not count."""
    ksr = FakeKsr()

    assert attempts(ksr, FULL, "1", "2", "3", "4") == [TOO_MANY_AT_ONCE] * 2
    assert in_progress(ksr) == 2
    limits(ksr).ended(CountedCall("ab", "1"))
    assert attempts(ksr, FULL, "5", "6") == [TOO_MANY_AT_ONCE]


def test_call_that_ends_twice_counts_once() -> None:
    """A BYE may come from both sides, and again."""
    ksr = FakeKsr()
    attempts(ksr, FULL, "1", "2")

    for _ in range(3):
        limits(ksr).ended(CountedCall("ab", "1"))
    limits(ksr).ended(CountedCall("ab", "never begun"))

    assert in_progress(ksr) == 1
    assert call_key("ab", "never begun") not in ksr.tables["calls_in_progress"]


def test_second_attempt_of_one_call_counts_once() -> None:
    """A switch that tries again under the same Call-ID."""
    ksr = FakeKsr()

    assert attempts(ksr, FULL, "1", "1", "1", "2") == []
    assert in_progress(ksr) == 2
    limits(ksr).ended(CountedCall("ab", "1"))
    assert in_progress(ksr) == 1
    assert attempts(ksr, FULL, "1") == []
    assert in_progress(ksr) == 2


def test_attempt_counts_for_the_time_of_a_search_and_an_answered_call_for_hours() -> None:
    """Neither for ever: a BYE may be lost."""
    ksr = FakeKsr()
    attempts(ksr, FULL, "1")
    lasts = ksr.tables["calls_in_progress ttl_s"]

    assert lasts == {call_key("ab", "1"): 180}
    limits(ksr).goes_on(CountedCall("ab", "1"))
    assert lasts == {call_key("ab", "1"): 14_400}


@pytest.mark.parametrize(("value", "left"), [(1, 1), (0, 2), (-1, 2)])
def test_expired_call_counts_no_longer(value: int, left: int) -> None:
    """If it still did: one that has ended was taken off already."""
    ksr = FakeKsr()
    attempts(ksr, FULL, "1", "2")
    ksr.variables |= {"$shtrecord(key)": call_key("ab", "1"), "$shtrecord(value)": value}

    limits(ksr).expired()

    assert in_progress(ksr) == left


def test_refused_calls_are_logged_at_powers_of_ten() -> None:
    """A flood does not fill the log; all of them are counted."""
    ksr = FakeKsr(variables={"$ci": "call-1"})

    attempts(ksr, FAST, *map(str, range(117)))

    assert ksr.logged == [
        'call-1: refused: "too many calls per second" from switch-a '
        f"(call {number} in this second)\n"
        for number in (1, 10, 100)
    ]
    assert ksr.tables["counters"] == {"calls_over_limit": 115}


@pytest.mark.parametrize("reply", [TOO_MANY_PER_SECOND, TOO_MANY_AT_ONCE])
def test_refusal_says_when_to_come_again(reply: Reply) -> None:
    """RFC 3261 §21.5.4; and a Reason that tells it from ClearIP's 503."""
    headers = dict(reply.headers)

    assert reply.status == 503
    assert 1 <= int(headers["Retry-After"]) <= 10
    assert headers["Reason"].startswith('SIP;cause=503;text="too many calls')


def test_key_of_a_call_has_one_length() -> None:
    """What a caller writes as Call-ID costs no memory of its choosing."""
    assert len(call_key("ab", "x")) == len(call_key("ab", "x" * 60_000))
