"""Queries to ClearIP travel on verified connections alone."""

from dataclasses import replace

import pytest

from clearip_proxy.decisions import QueryClearIp
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.search import TERMINATED
from clearip_proxy.sites.lost_calls import Waiting
from unit.kemi.clearip_leg import (
    ANSWER,
    INVITE,
    OTHER,
    POLICY,
    QUERY,
    Clock,
    is_unavailable,
    leg,
    stored,
)
from unit.kemi.connected_ksr import CONNECTION, SITE, connected
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.target_values import next_hops_of


def test_query_goes_on_the_verified_connection_and_opens_none() -> None:
    """Timers, callback and connection are set before the branch is sent."""
    ksr = connected(FakeKsr())

    assert leg(ksr).query(QUERY, may_wait=False) is None
    assert ksr.calls == [
        ("seturi", "sip:1@sip.clearip.com"),
        ("t_on_branch", ""),
        ("t_on_reply", "ksr_reply_clearip"),
        ("setdsturi", SITE),
        ("tcp_set_otcpid", CONNECTION),
        ("set_forward_no_connect",),
        ("t_on_failure", "ksr_failure_clearip"),
        ("t_set_fr", 2_000, 2_000),
        ("t_set_disable_internal_reply", 1),
        ("t_relay",),
        ("tcp_set_otcpid_flag", 0),
    ]
    assert stored(ksr).asked == (SITE,)


@pytest.mark.parametrize("is_open", [True, False])
def test_site_without_verified_open_connection_never_gets_an_invite(*, is_open: bool) -> None:
    """Neither one that was not verified nor one that has closed."""
    ksr = connected(FakeKsr())
    KsrSites(ksr).publish_lines(()) if is_open else ksr.open_connections.clear()

    assert is_unavailable(leg(ksr).query(QUERY, may_wait=False))
    assert "t_relay" not in ksr.names()


def test_site_that_takes_nothing_gives_way_to_the_next() -> None:
    """A connection that has just gone costs no call, and nothing waits on it."""
    ksr = connected(FakeKsr(returns={"t_relay": [-1, 1]}), OTHER)

    assert leg(ksr).query(QUERY, may_wait=False) is None
    assert next_hops_of(ksr) == [SITE, OTHER.hop]
    assert [waiting.connection for waiting in waiting_calls(ksr)] == [OTHER.connection]


def waiting_calls(ksr: FakeKsr) -> list[Waiting]:
    """The queries that the keeper would tell of a loss."""
    sites = KsrSites(ksr)
    return [*sites.waiting_on(CONNECTION), *sites.waiting_on(OTHER.connection)]


def test_next_site_is_one_that_was_not_asked() -> None:
    """However the list has changed meanwhile, no address is asked twice."""
    ksr = connected(FakeKsr(), OTHER)
    context = QUERY.context._replace(asked=(SITE,))

    leg(ksr).query(QueryClearIp(context, next_site=True), may_wait=False)

    assert next_hops_of(ksr) == [OTHER.hop]
    assert stored(ksr).asked == (SITE, OTHER.hop)


def test_call_that_is_asked_about_again_may_go_to_the_same_site() -> None:
    """A PASSporT that has grown old is renewed where it came from."""
    ksr = connected(FakeKsr())

    leg(ksr).query(QueryClearIp(QUERY.context._replace(asked=(SITE,))), may_wait=False)

    assert next_hops_of(ksr) == [SITE]


def test_query_waits_on_its_connection_until_it_has_ended() -> None:
    """The keeper finds it there when the connection is lost; its body may hold any octets."""
    raw = INVITE.partition("\r\n\r\n")[0] + "\r\n\r\n\0"
    ksr = connected(FakeKsr(variables={"$mb": raw, "$T(id_index)": 9, "$T(id_label)": 4}))
    proxy = leg(ksr)

    proxy.query(QUERY, may_wait=False)
    assert waiting_calls(ksr) == [Waiting(CONNECTION, 9, 1, raw.partition("\r\n\r\n")[0])]

    proxy.learn(ANSWER, stored(ksr))
    assert waiting_calls(ksr) == []


def test_query_that_is_no_utf_8_is_sent_all_the_same() -> None:
    """It only waits longer when its connection is lost."""
    octets = {"$(mb{s.encode.hexa})": "e9"}
    ksr = connected(FakeKsr(variables=dict(octets), undecodable=frozenset({"$mb"})))

    assert leg(ksr).query(QUERY, may_wait=False) is None
    assert waiting_calls(ksr) == []


def test_query_of_a_call_canceled_meanwhile_is_terminated() -> None:
    """Tm refuses a branch of a canceled transaction; the next site is not asked."""
    ksr = connected(FakeKsr(returns={"t_relay": [-1], "t_is_canceled": [1]}), OTHER)

    assert leg(ksr).query(QUERY, may_wait=False) == TERMINATED
    assert next_hops_of(ksr) == [SITE]


def connecting(ksr: FakeKsr, until_ms: int) -> FakeKsr:
    """A site whose connection is being made."""
    KsrSites(ksr).connecting(until_ms)
    return ksr


def test_call_waits_for_the_connection_that_is_being_made() -> None:
    """In a process whose calls all wait for that."""
    ksr = connecting(FakeKsr(), 9_000)

    assert leg(ksr).query(QUERY, may_wait=False) is None
    assert ksr.names()[-3:] == ["t_set_fr", "t_suspend", "task_group_data"]
    assert ksr.calls[-1] == ("task_group_data", "ksr_await_connection", "connection")
    assert stored(ksr).clearip_uri == QUERY.context.clearip_uri


def test_call_that_has_waited_is_sent_when_the_connection_is_there() -> None:
    """And without waiting when it is there already."""
    ksr = connected(FakeKsr())

    assert leg(ksr).query(QUERY, may_wait=True) is None
    assert "t_relay" in ksr.names()


@pytest.mark.parametrize("until_ms", [9_000, 1_000_000])
def test_call_does_not_wait_longer_than_for_an_answer(until_ms: int) -> None:
    """By the connection's time or by the call's own, whichever ends first."""
    ksr = connecting(FakeKsr(), until_ms)
    clock = Clock(5_000, 400)
    proxy = leg(ksr, clock)
    assert proxy.query(QUERY, may_wait=False) is None

    proxy.await_connection()

    assert clock.ms <= 9_000
    assert ksr.calls[-1] == ("t_continue", 0, 0, "ksr_connection")
    assert is_unavailable(proxy.query(QUERY, may_wait=True))


@pytest.mark.parametrize("codes", [[1], [-1, 1]])
def test_waiting_call_that_is_canceled_is_terminated(codes: list[int]) -> None:
    """Before it is suspended, or in that moment."""
    ksr = connecting(FakeKsr(returns={"t_is_canceled": codes}), 9_000)

    assert leg(ksr).query(QUERY, may_wait=False) == TERMINATED


def test_call_that_no_worker_takes_is_answered_by_the_policy() -> None:
    """A full queue is a reason like any other."""
    ksr = connecting(FakeKsr(returns={"task_group_data": [-1]}), 9_000)

    assert leg(ksr).query(QUERY, may_wait=False) is None
    assert ksr.calls[-1] == ("t_continue", 0, 0, "ksr_connection")
    assert is_unavailable(leg(ksr).query(QUERY, may_wait=True))


@pytest.mark.parametrize(
    ("received", "appended"),
    [({}, True), ({"P-Source-Device": ["192.0.2.1"]}, False)],
)
def test_query_tells_the_source_device_when_it_is_asked_to(
    received: dict[str, list[str]], *, appended: bool
) -> None:
    """Only where the switch has not said it itself."""
    ksr = connected(FakeKsr(variables={"$si": "10.0.0.1"}, headers=received))
    policy = replace(POLICY, clearip=replace(POLICY.clearip, send_source_device=True))
    proxy = leg(ksr, policy=policy)

    proxy.query(QUERY, may_wait=False)
    proxy.prepare_branch()

    assert ("t_on_branch", "ksr_branch_clearip") in ksr.calls
    assert (("append", "P-Source-Device: 10.0.0.1\r\n") in ksr.calls) is appended


@pytest.mark.parametrize(("kind", "kept"), [(1, True), (2, False)])
def test_answer_to_options_is_kept_for_the_keeper(kind: int, *, kept: bool) -> None:
    """Unless Kamailio made it up."""
    ksr = FakeKsr(
        variables={
            "$uac_req(evtype)": kind,
            "$uac_req(evparam)": SITE,
            "$conid": 9,
            "$tls_peer_raw_cert": "PEM",
        }
    )

    leg(ksr).site_answered()

    expected = {f"{SITE} certificate": "PEM", f"{SITE} connection": 9, f"{SITE} answered": 5_000}
    assert ksr.tables.get("sites", {}) == (expected if kept else {})
