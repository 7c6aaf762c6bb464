"""Queries to ClearIP travel on verified connections alone."""

from dataclasses import replace

import pytest

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import Decision, QueryClearIp, Reply
from clearip_proxy.ksr_clearip import ClearIpLeg
from clearip_proxy.ksr_events import CallEvents
from clearip_proxy.ksr_reader import KsrReader
from clearip_proxy.ksr_sites import REST_MS, KsrSites
from clearip_proxy.message import parse_response
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.search import TERMINATED
from clearip_proxy.sources import TrustedSources
from unit.kemi.connected_ksr import CONNECTION, SITE, connected
from unit.kemi.fake_ksr import FakeKsr

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000, sites=(SITE,)),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(),
)
QUERY = QueryClearIp(ResponseContext(clearip_uri="sip:1@sip.clearip.com"))
ASKED = ResponseContext(site=SITE)
ANSWER = parse_response("SIP/2.0 404 Not Found\r\n\r\n")


class Clock:
    """A clock that goes on by a step each time it is read."""

    def __init__(self, start_ms: int = 5_000, step_ms: int = 0) -> None:
        self.ms, self.step_ms = start_ms, step_ms

    def __call__(self) -> Moment:
        """The time now."""
        self.ms += self.step_ms
        return Moment(self.ms)


def leg(ksr: FakeKsr, clock: Clock | None = None, policy: RoutingPolicy = POLICY) -> ClearIpLeg:
    """A leg, on a clock that stands still unless it is given another."""
    return ClearIpLeg(ksr, policy, KsrReader(ksr, clock or Clock()), CallEvents(ksr, policy))


def is_unavailable(step: Decision | None) -> bool:
    """Tell the proxy's own 503."""
    return isinstance(step, Reply) and step.status == 503


def test_query_goes_on_the_verified_connection_and_opens_none() -> None:
    """Timers, callback and connection are set before the branch is sent."""
    ksr = connected(FakeKsr())

    assert leg(ksr).query(QUERY, may_wait=False) is None
    assert ksr.calls == [
        ("seturi", "sip:1@sip.clearip.com"),
        ("t_on_branch", ""),
        ("t_on_reply", "ksr_reply_clearip"),
        ("ds_select_dst", 1, 8),
        ("tcp_set_otcpid", CONNECTION),
        ("set_forward_no_connect",),
        ("t_on_failure", "ksr_failure_clearip"),
        ("t_set_fr", 2_000, 2_000),
        ("t_set_disable_internal_reply", 1),
        ("t_relay",),
        ("tcp_set_otcpid_flag", 0),
    ]
    assert ResponseContext.from_text(ksr.stored["response_context"]).site == SITE


@pytest.mark.parametrize("is_open", [True, False])
def test_site_without_verified_open_connection_never_gets_an_invite(*, is_open: bool) -> None:
    """Neither one that was not verified nor one that has closed."""
    ksr = connected(FakeKsr())
    ksr.tables["sites"].pop(f"{SITE} verified") if is_open else ksr.open_connections.clear()

    assert is_unavailable(leg(ksr).query(QUERY, may_wait=False))
    assert "t_relay" not in ksr.names()


def test_site_that_takes_nothing_gives_way_to_the_next() -> None:
    """A connection that has just gone costs no call."""
    ksr = connected(FakeKsr(returns={"t_relay": [-1, 1], "ds_next_dst": [1]}))

    assert leg(ksr).query(QUERY, may_wait=False) is None
    assert ksr.names().count("t_relay") == 2


def test_next_site_continues_the_list() -> None:
    """After a silent site the list goes on where it was."""
    ksr = connected(FakeKsr(returns={"ds_next_dst": [1]}))

    leg(ksr).query(QueryClearIp(QUERY.context, next_site=True), may_wait=False)

    assert "t_relay" in ksr.names()
    assert "ds_select_dst" not in ksr.names()


def test_query_of_a_call_canceled_meanwhile_is_terminated() -> None:
    """Tm refuses a branch of a canceled transaction; the next site is not asked."""
    ksr = connected(FakeKsr(returns={"t_relay": [-1], "t_is_canceled": [1]}))

    assert leg(ksr).query(QUERY, may_wait=False) == TERMINATED
    assert "ds_next_dst" not in ksr.names()


def connecting(ksr: FakeKsr, until_ms: int) -> FakeKsr:
    """A site whose connection is being made."""
    ksr.variables["$du"] = SITE
    ksr.tables["sites"] = {"connecting until": until_ms}
    return ksr


def test_call_waits_for_the_connection_that_is_being_made() -> None:
    """In a process that others do not wait for."""
    ksr = connecting(FakeKsr(), 9_000)

    assert leg(ksr).query(QUERY, may_wait=False) is None
    assert ksr.calls[-1] == ("task_route", "ksr_connection")
    stored = ResponseContext.from_text(ksr.stored["response_context"])
    assert stored.clearip_uri == QUERY.context.clearip_uri


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

    assert is_unavailable(leg(ksr, clock).query(QUERY, may_wait=True))
    assert clock.ms <= 9_000


@pytest.mark.parametrize("codes", [[1], [-1, 1]])
def test_waiting_call_that_is_canceled_is_terminated(codes: list[int]) -> None:
    """Before it is suspended, or in that moment."""
    ksr = connecting(FakeKsr(returns={"t_is_canceled": codes}), 9_000)

    assert leg(ksr).query(QUERY, may_wait=False) == TERMINATED


def test_call_that_no_worker_takes_is_answered_by_the_policy() -> None:
    """A full queue is a reason like any other."""
    ksr = connecting(FakeKsr(returns={"task_route": [-1]}), 9_000)

    assert is_unavailable(leg(ksr).query(QUERY, may_wait=False))


def test_silent_site_rests_and_is_tried_by_one_call_at_a_time() -> None:
    """Calls do not each pay the timeout; one finds out whether the site is back."""
    ksr = connected(FakeKsr())
    clock = Clock()
    proxy = leg(ksr, clock)
    for _ in range(3):
        proxy.learn(NoResponse(), ASKED)

    assert is_unavailable(proxy.query(QUERY, may_wait=False))
    clock.ms += REST_MS
    assert proxy.query(QUERY, may_wait=False) is None
    assert is_unavailable(proxy.query(QUERY, may_wait=False))
    assert any("rests: calls" in line for line in ksr.logged)


@pytest.mark.parametrize(
    "outcomes",
    [
        [NoResponse(), NoResponse(), ANSWER, NoResponse()],
        [NoResponse(), NoResponse(), Canceled()],
        [NoResponse(), NoResponse(), NoResponse(), ANSWER],
    ],
)
def test_site_that_answers_does_not_rest(outcomes: list[BranchOutcome]) -> None:
    """Silences count in a row alone, and any final answer is an answer."""
    ksr = connected(FakeKsr())
    proxy = leg(ksr)
    for outcome in outcomes:
        proxy.learn(outcome, ASKED)

    assert proxy.query(QUERY, may_wait=False) is None


@pytest.mark.parametrize("is_connected_again", [False, True])
def test_calls_on_a_lost_connection_count_as_one_silence(*, is_connected_again: bool) -> None:
    """A site that has restarted under many calls need not rest."""
    ksr = connected(FakeKsr())
    sites, clock = KsrSites(ksr), Clock()
    proxy = leg(ksr, clock)
    lose_connection(ksr, sites)
    if is_connected_again:
        connect_again(ksr, sites, clock.ms)
    for _ in range(5):
        proxy.learn(NoResponse(), ASKED)

    connect_again(ksr, sites, clock.ms)
    assert proxy.query(QUERY, may_wait=False) is None


def test_site_that_loses_its_connection_with_every_call_rests() -> None:
    """It answers OPTIONS each time, and never a call."""
    ksr = connected(FakeKsr())
    sites, clock = KsrSites(ksr), Clock()
    proxy = leg(ksr, clock)
    for _ in range(3):
        lose_connection(ksr, sites)
        proxy.learn(NoResponse(), ASKED)
        connect_again(ksr, sites, clock.ms)

    assert is_unavailable(proxy.query(QUERY, may_wait=False))


def lose_connection(ksr: FakeKsr, sites: KsrSites) -> None:
    """As the keeper notices it."""
    ksr.open_connections.clear()
    sites.forget(SITE)


def connect_again(ksr: FakeKsr, sites: KsrSites, now_ms: int) -> None:
    """As the keeper does when the certificate is right."""
    ksr.open_connections.add(CONNECTION)
    sites.verify(SITE, CONNECTION, now_ms)


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
