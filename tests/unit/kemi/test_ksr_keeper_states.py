"""How the keeper shows the sites, and what it does about those that are away."""

from dataclasses import replace
from itertools import pairwise

import pytest

from clearip_proxy.ksr.sites import SILENCES_TO_REST
from clearip_proxy.sites.handshake_run import Finding
from clearip_proxy.sites.lost_calls import Waiting
from clearip_proxy.sites.site_lines import Line
from clearip_proxy.sites.site_status import SiteState, SiteStatus
from clearip_proxy.sites.site_watch import FIRST_RETRY_MS, SETTLE_MS
from unit.kemi.connected_ksr import SITE
from unit.kemi.keeper_lab import ADDRESSES, NAMED, POLICY, Lab, lab_with_site_up


@pytest.fixture
def lab() -> Lab:
    """A site that is up."""
    return lab_with_site_up()


@pytest.mark.parametrize("waiting", [0, 1, 5])
def test_calls_on_a_lost_connection_count_as_one_silence(lab: Lab, waiting: int) -> None:
    """A site that has restarted under many need not rest, one that closes at every call shall."""
    for losses in range(1, SILENCES_TO_REST + 1):
        for number in range(waiting):
            lab.sites.asks(str(number), Waiting(lab.usable()[0], 1, 1, "INVITE"))
        lab.ksr.open_connections.clear()
        lab.tick_at(losses * 10_000)
        lab.tick_at(losses * 10_000 + SETTLE_MS)
        lab.answer(5 + losses)
        lab.tick_at(losses * 10_000 + 2 * SETTLE_MS)

    rests = waiting > 0
    assert lab.sites.may_be_asked(SITE, lab.ms) is not rests
    assert lab.status().state is (SiteState.RESTING if rests else SiteState.UP)


def test_site_that_is_away_is_looked_at_less_and_less_often() -> None:
    """Up to the keep-alive, so that it is found again within two; Kamailio connects but once."""
    lab = Lab()
    lab.finding = Finding("it refuses the connection")
    times = []
    for ms in range(1_000, 200_000, 200):
        before = len(lab.looked_at)
        lab.tick_at(ms)
        if len(lab.looked_at) > before:
            times.append(ms)

    gaps = [later - earlier for earlier, later in pairwise([1_000, *times])]
    assert gaps[:3] == [FIRST_RETRY_MS, 2 * FIRST_RETRY_MS, 4 * FIRST_RETRY_MS]
    assert max(gaps) <= POLICY.keepalive_s * 1000 + 200
    assert lab.asked() == 1


@pytest.mark.parametrize(
    ("finding", "state", "reason"),
    [
        (Finding("it refuses the connection"), SiteState.DOWN, "it refuses the connection"),
        (
            Finding(
                "its certificate does not verify: has expired",
                refused=True,
                certificate="a.example",
            ),
            SiteState.UNVERIFIED,
            "its certificate does not verify: has expired (it is for a.example)",
        ),
        (
            Finding(certificate="a.example"),
            SiteState.UNVERIFIED,
            "its certificate is for a.example, not for clearip.tls.server_name sip.clearip.com",
        ),
    ],
)
def test_site_that_does_not_come_up_is_shown_and_logged_with_the_reason(
    finding: Finding, state: SiteState, reason: str
) -> None:
    """Once, however often it is tried; since when is kept."""
    lab = Lab()
    lab.finding = finding
    for ms in range(1_000, 60_000, 200):
        lab.tick_at(ms)

    assert lab.status() == SiteStatus(SITE, 1, state, reason, 2)
    assert len([line for line in lab.ksr.logged if reason in line]) == 1
    assert lab.usable() == []


def test_kamailio_connects_where_a_handshake_has_gone_well() -> None:
    """A site that then leaves OPTIONS without an answer is down."""
    lab = Lab()
    for ms in range(1_000, 20_000, 200):
        lab.tick_at(ms)

    assert lab.asked() == 1 + len(lab.looked_at)
    assert lab.status().reason == "no answer to OPTIONS"


def test_silent_site_is_down_when_it_is_asked_more_often_than_it_may_take_to_answer() -> None:
    """Each question has its time from when it was sent, whatever is sent after it."""
    lab = Lab(replace(POLICY, keepalive_s=1))
    lab.tick_at(1_000)
    lab.answer(5)
    for ms in range(1_200, 10_000, 100):
        lab.tick_at(ms)

    assert (lab.status().state, lab.status().reason) == ("down", "no answer to OPTIONS")


def test_state_follows_the_breaker(lab: Lab) -> None:
    """At rest, tried by one call, and up again."""
    seen = [lab.status().state]
    for _ in range(SILENCES_TO_REST):
        lab.sites.was_silent(SITE, lab.ms)
    lab.tick_at(1_400)
    seen.append(lab.status().state)
    assert lab.sites.may_be_asked(SITE, 60_000)
    lab.answer(5)
    lab.tick_at(1_600)
    seen.append(lab.status().state)
    lab.sites.was_heard(SITE)
    lab.tick_at(1_800)

    assert seen == [SiteState.UP, SiteState.RESTING, SiteState.PROBING]
    assert lab.status() == SiteStatus(
        SITE, 1, SiteState.UP, "its certificate is for sip.clearip.com", 1
    )


def named_lab() -> Lab:
    """A site with a name, and one with an address."""
    return Lab(replace(POLICY, sites=(NAMED, SITE)))


def test_every_address_of_a_name_gets_a_connection_of_its_own() -> None:
    """OPTIONS name the site and go to the address."""
    lab = named_lab()
    lab.sites.learn_addresses(NAMED, ADDRESSES, "")
    lab.tick_at(1_000)
    for connection, hop in enumerate((*ADDRESSES, SITE), start=5):
        lab.answer(connection, hop=hop)
    lab.tick_at(1_200)

    assert ("uac_req_send", "OPTIONS", NAMED) in lab.ksr.calls
    assert lab.sites.lines() == (
        (Line(NAMED, ADDRESSES[0], 5), Line(NAMED, ADDRESSES[1], 6)),
        (Line(SITE, SITE, 7),),
    )
    assert [lab.status(hop).preference for hop in (*ADDRESSES, SITE)] == [1, 1, 2]
    assert any(f"{NAMED} at 192.0.2.2 is up" in line for line in lab.ksr.logged)


def test_address_that_is_none_any_more_gets_no_call() -> None:
    """And those that stay keep their connections."""
    lab = named_lab()
    lab.sites.learn_addresses(NAMED, ADDRESSES, "")
    lab.tick_at(1_000)
    for connection, hop in enumerate(ADDRESSES, start=5):
        lab.answer(connection, hop=hop)
    lab.tick_at(1_200)

    lab.sites.learn_addresses(NAMED, ADDRESSES[1:], "")
    lab.tick_at(1_400)

    assert lab.usable() == [6]
    assert ADDRESSES[0] not in lab.ksr.tables["site_status"]


def test_site_whose_name_leads_nowhere_is_shown_with_the_reason() -> None:
    """Until an address is found."""
    lab = named_lab()
    lab.tick_at(1_000)
    looked_up = lab.status(NAMED)
    lab.sites.learn_addresses(NAMED, (), "the name server is silent")
    lab.tick_at(2_000)
    failed = lab.status(NAMED)
    lab.sites.learn_addresses(NAMED, ADDRESSES, "")
    lab.tick_at(3_000)

    assert looked_up.state is SiteState.CONNECTING
    assert failed == SiteStatus(NAMED, 1, SiteState.DOWN, "the name server is silent", 2)
    assert lab.ksr.tables["site_status"].keys() == {*ADDRESSES, SITE}
    assert lab.sites.is_connecting(3_000 + 1_999)
