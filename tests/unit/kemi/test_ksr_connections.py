"""Connections that others open: marked when they are heard, closed when they stay mute."""

from dataclasses import replace
from typing import Any

from clearip_proxy.ksr.connections import (
    HEARD_LIFETIME_S,
    LOOK_INTERVAL_MS,
    MOST_REMEMBERED,
    HeardConnections,
    MuteConnections,
)
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.sources import TrustedSources
from unit.kemi.fake_ksr import FakeKsr

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(),
    own=frozenset({"192.0.2.1:5060", "[2001:db8::1]:5061"}),
    first_message_s=20,
)


def listed(connection: int, port: int = 5060, lifetime: int = 3600) -> dict[str, Any]:
    """What Kamailio says of a connection."""
    return {"id": connection, "dst_port": port, "lifetime": lifetime, "src_ip": "192.0.2.66"}


def test_connection_is_marked_at_its_first_message_alone() -> None:
    """Each message after it costs nothing."""
    ksr = FakeKsr()
    heard = HeardConnections(ksr)

    for connection in (7, 7, 8, 7):
        heard.hear(connection)

    assert ksr.calls == [
        ("tcp_set_connection_lifetime_cid", each, HEARD_LIFETIME_S) for each in (7, 8)
    ]


def test_number_of_connections_that_are_remembered_is_bounded() -> None:
    """One that was forgotten is marked again, which changes nothing."""
    ksr = FakeKsr()
    heard = HeardConnections(ksr)

    for connection in range(MOST_REMEMBERED + 1):
        heard.hear(connection)
    heard.hear(0)

    assert len(ksr.calls) == MOST_REMEMBERED + 2


def looked_at(ksr: FakeKsr, seconds: int) -> None:
    """Let the timer run for so long, ten times a second."""
    mute = MuteConnections(ksr, POLICY)
    for tenth in range(seconds * 10 + 1):
        mute.tick(1_000 + tenth * 100)


def test_mute_connection_is_closed_when_its_time_is_over() -> None:
    """And told of in one line, however many there are."""
    ksr = FakeKsr(commands={"core.tcp_list": [listed(7), listed(8, 5061)]})

    looked_at(ksr, 19)
    assert ksr.calls == []
    looked_at(ksr, 20)

    assert ksr.calls == [("tcp_close_connection_id", 7), ("tcp_close_connection_id", 8)]
    assert ksr.tables["counters"] == {"mute_connections_closed": 2}
    assert ksr.logged == [
        "closed: 2 connections without a message in 20 s, the first from 192.0.2.66\n"
    ]


def test_connection_that_was_heard_and_one_of_the_proxys_own_stay() -> None:
    """Whatever they say from then on is not looked at."""
    ksr = FakeKsr(
        commands={"core.tcp_list": [listed(7, lifetime=HEARD_LIFETIME_S), listed(8, port=38111)]}
    )

    looked_at(ksr, 60)

    assert ksr.calls == []


def test_connections_are_listed_now_and_then() -> None:
    """Not ten times a second."""
    ksr = FakeKsr()
    mute = MuteConnections(ksr, replace(POLICY, first_message_s=1))
    mute.tick(1_000)
    ksr.asked = ""

    mute.tick(1_000 + LOOK_INTERVAL_MS - 1)
    assert ksr.asked == ""
    mute.tick(1_000 + LOOK_INTERVAL_MS)

    assert ksr.asked == "core.tcp_list"
