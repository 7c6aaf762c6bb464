"""The cluster's socket and the cluster's keeper, from Kamailio's side."""

import json
from dataclasses import replace
from ipaddress import ip_network

import pytest

from clearip_proxy.callbacks import Callbacks
from clearip_proxy.cluster.news import Load, News, from_text, to_text
from clearip_proxy.decisions import AdmitCall, CountedCall, QueryClearIp
from clearip_proxy.ksr.calls import CallLimits
from clearip_proxy.ksr.cluster import ClusterDoor
from clearip_proxy.ksr.cluster_keeper import MOST_ENDED, ClusterKeeper
from clearip_proxy.limits import TOO_MANY_AT_ONCE, TOO_MANY_PER_SECOND, call_key
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy, ClusterPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sources import TrustedSource, TrustedSources
from unit.kemi.fake_ksr import FakeKsr

OWN, PEER, STRANGER = "192.0.2.1", "192.0.2.2", "192.0.2.66"
CLUSTER = ClusterPolicy(OWN, 5070, (PEER,), "1.2.3")
SOURCE = TrustedSource(ip_network("10.0.0.0/8"), "switch-a", max_cps=4, max_calls=3, id="ab")
POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(SOURCE, TrustedSource(ip_network("192.0.2.0/24"))),
    cluster=CLUSTER,
)
ENTRY = {"action": 2, "htname": "cluster", "cname": PEER, "type": 2, "strval": "x", "mode": 1}
MESSAGE: dict[str, str | int] = {
    "$Ri": OWN,
    "$Rp": 5070,
    "$pr": "udp",
    "$si": PEER,
    "$rm": "KDMQ",
    "$rU": "htable",
    "$rb": json.dumps(ENTRY),
    "$mb": "KDMQ sip:htable@192.0.2.1:5070 SIP/2.0\r\n\r\n",
}
REST = "sip:a;transport=tls"


# The socket


def takes(**changed: str | int) -> tuple[bool, FakeKsr]:
    """Whether the door takes a message, and what happens to it."""
    ksr = FakeKsr(variables=MESSAGE | {f"${name}": value for name, value in changed.items()})
    return ClusterDoor(ksr, POLICY, CLUSTER).takes(), ksr


def test_message_of_a_peer_is_given_to_kamailio() -> None:
    """On the cluster's own socket."""
    is_taken, ksr = takes()

    assert is_taken
    assert ksr.calls == [("handle_message",)]


@pytest.mark.parametrize("changed", [{"Rp": 5060}, {"Ri": "192.0.2.9"}])
def test_request_on_another_socket_is_any_other_request(changed: dict[str, str | int]) -> None:
    """Also one from a peer."""
    is_taken, ksr = takes(**changed)

    assert not is_taken
    assert ksr.calls == []


def test_stranger_on_the_socket_hears_nothing() -> None:
    """A source of calls is a stranger there too."""
    is_taken, ksr = takes(si=STRANGER)

    assert is_taken
    assert ksr.calls == []
    assert ksr.tables["counters"] == {"requests_turned_away": 1}


def test_untrue_message_of_a_peer_is_refused_and_told_sparingly() -> None:
    """Its own news are all that it may tell."""
    ksr = FakeKsr(variables=MESSAGE | {"$rU": "dialog"})
    door = ClusterDoor(ksr, POLICY, CLUSTER)

    assert all(door.takes() for _ in range(11))

    assert ksr.calls == []
    assert len(ksr.logged) == 2
    assert PEER in ksr.logged[0]


def test_message_that_is_no_text_is_refused() -> None:
    """Bytes that are not UTF-8."""
    ksr = FakeKsr(variables=MESSAGE, undecodable=frozenset({"$rb"}))

    assert ClusterDoor(ksr, POLICY, CLUSTER).takes()
    assert ksr.calls == []


def test_callbacks_let_the_cluster_have_its_messages_first() -> None:
    """And know of no cluster where there is none."""
    ksr = FakeKsr(variables=dict(MESSAGE))
    Callbacks(ksr, POLICY, now=Moment).ksr_request_route(None)
    alone = FakeKsr(variables=dict(MESSAGE))
    Callbacks(alone, replace(POLICY, cluster=None), now=Moment).ksr_request_route(None)

    assert ksr.names() == ["handle_message"]
    assert "handle_message" not in alone.names()


# The keeper


class Lab:
    """A node that is told by one other."""

    def __init__(self) -> None:
        self.ksr = FakeKsr()
        self.numbers = SharedNumbers()
        self.keeper = ClusterKeeper(self.ksr, POLICY, CLUSTER, self.numbers, 1_000)
        self.limits = CallLimits(self.ksr, POLICY)

    def tick(self, now_ms: int, **states: str) -> None:
        """Let the keeper look once."""
        self.keeper.tick(now_ms, lambda: states)

    def told(self) -> News:
        """What the node tells the others."""
        return from_text(str(self.ksr.tables["cluster"][OWN]))

    def hears(self, news: News, now_ms: int) -> None:
        """The other node tells something."""
        self.ksr.tables.setdefault("cluster", {})[PEER] = to_text(news)
        self.tick(now_ms)

    def refused(self, *calls: str, now_ms: int) -> list[object]:
        """Begin calls of the limited source; return the refusals."""
        query = QueryClearIp(ResponseContext())
        answers = (self.limits.refusal(AdmitCall(SOURCE, call, query), now_ms) for call in calls)
        return [answer for answer in answers if answer is not None]


def test_node_tells_once_a_second_what_it_counts() -> None:
    """Its sources, its sites, its counters, what its observer has counted."""
    lab = Lab()
    lab.ksr.tables["counters"] = {"calls_shed": 2}
    lab.ksr.tables["observed"] = {"observed": '{"setting_up":5}'}
    lab.ksr.tables["node"] = {"draining": 1}
    for _ in range(6):
        lab.numbers.count_call()
    lab.refused("1", "2", now_ms=2_500)
    lab.tick(3_000, a="up")

    told = lab.told()
    assert (told.release, told.is_draining, told.begun, told.cps) == ("1.2.3", True, 6, 3)
    assert told.sources == {"ab": Load(2, 2)}
    assert (told.sites, told.counters) == ({"a": "up"}, {"calls_shed": 2})
    assert told.observed == {"setting_up": 5}
    lab.tick(3_900, a="down")
    assert lab.told() == told
    lab.tick(4_000, a="down")
    assert lab.told().sites == {"a": "down"}
    assert lab.told().sources == {"ab": Load(0, 2)}


def test_what_the_others_count_is_felt_by_calls_until_they_are_silent() -> None:
    """Then the whole limit holds here."""
    lab = Lab()
    lab.hears(News(1, sources={"ab": Load(9, 2)}), 1_100)

    assert lab.refused("1", "2", "3", now_ms=1_200) == [TOO_MANY_AT_ONCE, TOO_MANY_PER_SECOND]
    lab.tick(4_100)
    assert lab.refused("4", "5", now_ms=4_200) == []
    assert lab.ksr.tables["cluster_nodes"][PEER] == ""
    assert "is heard" in lab.ksr.logged[0]
    assert "is not heard" in lab.ksr.logged[-1]


def test_each_source_shares_the_limits_that_it_has() -> None:
    """One of calls at one time, another of calls per second."""
    fast = TrustedSource(ip_network("10.1.0.0/16"), max_cps=4, id="fast")
    full = TrustedSource(ip_network("10.2.0.0/16"), max_calls=4, id="full")
    ksr = FakeKsr(tables={"cluster": {PEER: to_text(News(1, sources={"full": Load(0, 3)}))}})
    policy = replace(POLICY, trusted=TrustedSources(fast, full))

    ClusterKeeper(ksr, policy, CLUSTER, SharedNumbers(), 0).tick(100, dict)

    assert ksr.tables["cluster_shares"] == {"fast cps": 4, "full calls": 3}


def test_end_of_a_call_that_another_node_counts_is_told_for_a_while() -> None:
    """Not more at once than a datagram takes; the rest waits."""
    lab = Lab()
    for number in range(MOST_ENDED + 1):
        lab.limits.ended(CountedCall("ab", str(number)))
    lab.tick(2_000)
    assert len(lab.told().ended) == MOST_ENDED
    lab.tick(3_000)
    assert len(lab.told().ended) == MOST_ENDED
    lab.tick(7_000)

    assert lab.told().ended == (call_key("ab", str(MOST_ENDED)),)


def test_call_whose_end_another_node_tells_counts_no_longer() -> None:
    """However often that is told, and also when the next call has the same Call-ID."""
    lab = Lab()
    lab.refused("1", "2", now_ms=1_100)
    ended = News(1, ended=(call_key("ab", "1"), call_key("ab", "unknown")))
    lab.hears(ended, 1_200)
    assert lab.ksr.tables["calls_of_sources"] == {"ab": 1}
    lab.refused("1", now_ms=1_300)
    lab.hears(replace(ended, sequence=2), 2_200)

    assert lab.ksr.tables["calls_of_sources"] == {"ab": 2}


def test_end_of_a_call_that_counts_here_is_told_to_nobody() -> None:
    """Nor is anything where nothing is shared."""
    lab = Lab()
    lab.refused("1", now_ms=1_100)
    lab.limits.ended(CountedCall("ab", "1"))
    CallLimits(lab.ksr, replace(POLICY, cluster=None)).ended(CountedCall("ab", "9"))

    assert "ended_elsewhere" not in lab.ksr.tables


def test_site_that_another_node_leaves_alone_is_one_silence_from_a_rest() -> None:
    """And no nearer, however often that is told."""
    lab = Lab()
    lab.hears(News(1, sites={REST: "resting", "sip:b": "up"}), 1_200)
    lab.hears(News(2, sites={REST: "probing"}), 2_200)
    assert lab.ksr.tables["silences"] == {REST: 2}
    lab.ksr.tables["silences"][REST] = 4
    lab.hears(News(3, sites={REST: "resting"}), 3_200)

    assert lab.ksr.tables["silences"] == {REST: 4}


def test_timer_runs_the_keeper_where_nodes_share() -> None:
    """In the process that looks after the sites."""
    ksr = FakeKsr()
    Callbacks(ksr, POLICY, now=lambda: Moment(5_000, 5)).ksr_keep_sites(None)
    alone = FakeKsr()
    Callbacks(alone, replace(POLICY, cluster=None), now=lambda: Moment(5_000, 5)).ksr_keep_sites(
        None
    )

    assert from_text(str(ksr.tables["cluster"][OWN])).sites == {}
    assert "cluster" not in alone.tables
