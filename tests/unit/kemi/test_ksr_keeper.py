"""Looking after the connections to the ClearIP sites."""

import pytest

from clearip_proxy.ksr.keeper import LOOK_INTERVAL_MS
from clearip_proxy.ksr.sites import (
    REPLACED_LIFETIME_S,
    SILENCES_TO_REST,
    VERIFIED_LIFETIME_S,
    KsrSites,
)
from clearip_proxy.sites.site_status import SiteState
from clearip_proxy.sites.site_watch import SETTLE_MS
from unit.kemi.connected_ksr import SITE
from unit.kemi.keeper_lab import Lab, lab_with_site_up


@pytest.fixture
def lab() -> Lab:
    """A site that is up."""
    return lab_with_site_up()


def test_site_is_asked_at_once_by_its_server_name() -> None:
    """The first OPTIONS opens the connection, with SNI."""
    lab = Lab()

    lab.tick_at(1_000)

    assert ("uac_req_send", "OPTIONS", SITE) in lab.ksr.calls
    assert ("xavp_child_sets", "tls", "server_name", "sip.clearip.com") in lab.ksr.calls
    assert lab.ksr.variables["$uac_req(evparam)"] == SITE
    assert lab.ksr.variables["$uac_req(ouri)"] == SITE
    assert lab.usable() == []
    assert lab.sites.is_connecting(1_000 + 1_999)


def test_site_with_the_right_name_is_given_to_the_calls(lab: Lab) -> None:
    """Once; the log says for which names its certificate is."""
    lab.tick_at(1_400)

    assert lab.usable() == [5]
    assert [line for line in lab.ksr.logged if "is up" in line] == [
        f"ClearIP site {SITE} is up: its certificate is for sip.clearip.com\n"
    ]


@pytest.mark.parametrize("certificate", ["other.example.net", ""])
def test_site_with_another_name_is_closed_and_never_given_to_calls(certificate: str) -> None:
    """Not on the first connection, and not on the next."""
    lab = Lab()
    for connection, ms in ((5, 1_000), (6, 10_000)):
        lab.tick_at(ms)
        lab.answer(connection, certificate)
        lab.tick_at(ms + 200)

        assert lab.usable() == []
        assert ("tcp_close_connection_id", connection) in lab.ksr.calls
    (line,) = lab.ksr.logged
    assert "is refused" in line
    assert "clearip.tls.server_name sip.clearip.com" in line


def test_site_that_is_up_is_asked_once_per_keep_alive(lab: Lab) -> None:
    """It holds the bindings of NAT and load balancers."""
    before = lab.asked()
    for ms in range(1_400, 62_000, 200):
        if lab.asked() > before and lab.sites.last_answer(SITE)[1] < ms:
            lab.answer(5)
        lab.tick_at(ms)

    assert lab.asked() - before == 2


def test_connection_that_answers_before_it_is_known_to_be_open_is_looked_at_again() -> None:
    """Its answer and its state come from different processes; it must not be left out for good."""
    lab = Lab()
    lab.tick_at(1_000)
    lab.answer(5)
    lab.ksr.open_connections.clear()
    lab.tick_at(1_100)
    assert lab.usable() == []

    lab.ksr.open_connections.add(5)
    lab.tick_at(1_200)

    assert lab.usable() == [5]


def test_connection_that_another_takes_the_place_of_ends_by_itself(lab: Lab) -> None:
    """Calls may still wait for answers on it; and it must not stay open for weeks."""
    lab.answer(6)
    lab.tick_at(1_400)

    assert lab.usable() == [6]
    last = [call for call in lab.ksr.calls if call[0] == "tcp_set_connection_lifetime_cid"][-2:]
    assert last == [
        ("tcp_set_connection_lifetime_cid", 5, REPLACED_LIFETIME_S),
        ("tcp_set_connection_lifetime_cid", 6, VERIFIED_LIFETIME_S),
    ]


def test_lost_connection_is_taken_from_the_calls_before_a_new_one_is_made(lab: Lab) -> None:
    """A new one is only opened when every process has seen the loss."""
    before = lab.asked()
    lab.ksr.open_connections.clear()

    lab.tick_at(1_400)
    assert lab.usable() == []
    assert lab.asked() == before

    lab.tick_at(1_400 + SETTLE_MS)
    assert lab.asked() == before + 1
    assert lab.sites.is_connecting(1_400 + SETTLE_MS + 1_999)
    assert any("is down: connection closed" in line for line in lab.ksr.logged)


def test_new_connection_is_verified_anew(lab: Lab) -> None:
    """A verified site may come back as another one."""
    lab.ksr.open_connections.clear()
    lab.tick_at(1_400)
    lab.tick_at(1_600)
    lab.answer(6, "other.example.net")
    lab.tick_at(1_800)

    assert lab.usable() == []


def test_site_that_leaves_options_unanswered_is_down(lab: Lab) -> None:
    """A half-open connection looks alive to Kamailio for many minutes."""
    lab.tick_at(40_000)
    lab.tick_at(42_001)

    assert lab.usable() == []
    assert ("tcp_close_connection_id", 5) in lab.ksr.calls
    assert any("no answer to OPTIONS" in line for line in lab.ksr.logged)


def test_calls_do_not_wait_for_a_site_that_stays_away() -> None:
    """Only for the first moment after the start, or after a loss."""
    lab = Lab()
    for ms in range(1_000, 10_000, 200):
        lab.tick_at(ms)

    assert not lab.sites.is_connecting(10_000)


def test_site_at_which_all_is_well_is_looked_at_in_full_once_a_second(lab: Lab) -> None:
    """Its connection alone is looked at ten times: that is what a proxy without calls does."""
    elsewhere = KsrSites(lab.ksr)  # its changes are told to nobody
    lab.tick_at(1_300)
    for _ in range(SILENCES_TO_REST):
        elsewhere.was_silent(SITE, lab.ms)
    lab.tick_at(1_200 + LOOK_INTERVAL_MS - 1)
    meanwhile = lab.status().state
    lab.tick_at(1_300 + LOOK_INTERVAL_MS)

    assert (meanwhile, lab.status().state) == (SiteState.UP, SiteState.RESTING)


def test_change_that_another_process_has_noted_is_looked_at_at_once(lab: Lab) -> None:
    """The next full look would show it a second later."""
    lab.tick_at(1_300)
    for _ in range(SILENCES_TO_REST):
        lab.sites.was_silent(SITE, lab.ms)
    lab.tick_at(1_400)

    assert lab.status().state is SiteState.RESTING
