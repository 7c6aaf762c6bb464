"""ClearIP is asked on connections alone whose certificate was checked: its chain and its name."""

import socket
import ssl
from collections.abc import Callable
from functools import partial

import pytest

from clearip_proxy.sites.site_status import SiteState
from inline_proxy.lab.certificates import (
    EXPIRED,
    WRONG_NAMES,
    CertificateAuthority,
    without_authority,
)
from sipp.clearip import HOST
from sipp.leg import (
    REFUSED,
    Leg,
    wait_for_lines,
    wait_for_state,
    wait_until_down,
    wait_until_up,
)
from sipp.leg_calls import Calls, place_call
from sipp.leg_site import LegSite, TlsServer
from sipp.leg_table import row
from sipp.waiting import wait_until

UNAVAILABLE = 'SIP;cause=503;text="ClearIP unavailable"'
SERVER_NAME = "sip.clearip.com"
AT_ONCE_MS = 100
TRIES = 2
"""How often every bad server is given the chance, on connections of their own."""


BAD_SERVERS: dict[str, Callable[[Leg], LegSite]] = {
    "shows another name": lambda leg: leg.site(*WRONG_NAMES, "*.third.example"),
    "shows an expired certificate": lambda leg: leg.site(lifetime=EXPIRED),
    "shows a self-signed certificate": lambda leg: leg.site_with(without_authority()),
    "shows a certificate of another authority": lambda leg: leg.site_with(
        CertificateAuthority.create("X").issue()
    ),
    "speaks no TLS above 1.1": lambda leg: leg.site(
        server=TlsServer(only_version=ssl.TLSVersion.TLSv1_1)
    ),
    "demands a client certificate and gets none": lambda leg: leg.site(
        server=TlsServer(clients_of=leg.ca_file)
    ),
}


SHOWN_AS = {
    "shows another name": (SiteState.UNVERIFIED, "for sip.other.example, *.third.example, not for"),
    "shows an expired certificate": (SiteState.UNVERIFIED, "expired (it is for sip.clearip.com"),
    "shows a self-signed certificate": (SiteState.UNVERIFIED, "signed certificate (it is for "),
    "shows a certificate of another authority": (
        SiteState.UNVERIFIED,
        "unable to get local issuer certificate (it is for sip.clearip.com",
    ),
    "speaks no TLS above 1.1": (SiteState.DOWN, "it speaks TLSv1.1, and TLS 1.2 is the"),
    "demands a client certificate and gets none": (SiteState.DOWN, "certificate"),
}
"""The state and the reason that the operator sees of them, and the log says."""


def test_servers_that_cannot_be_verified_are_passed_over(
    leg: Leg, number: str, record_property: Callable[[str, object], None]
) -> None:
    """Not one of them gets an INVITE, whatever its place in the order; the good one gets it.

    The operator sees which check has failed, and with which names.
    """
    bad = {name: make(leg) for name, make in BAD_SERVERS.items()}
    sites = [*bad.values(), leg.site()]
    clearip = leg.clearip(number, sites)
    proxy = leg.proxy(sites)

    first = place_call(proxy.place("udp"), number)
    for name in bad.keys() - {
        "speaks no TLS above 1.1"
    }:  # it ends the handshake before it hears a name
        wait_until(partial(_was_tried, bad[name]), f"a site is tried again that {name}")
    for name, (state, reason) in SHOWN_AS.items():
        assert reason in wait_for_state(proxy, bad[name], state).reason
        assert len(wait_for_lines(proxy, bad[name], reason)) == 1, "the log says it once"
    second = place_call(proxy.place("udp"), number)

    for name, site in bad.items():
        asked = [each.call_ids().count(second.call_id) for each in (site, sites[-1])]
        record_property(*row(name, second, *asked))
    assert [first.status, second.status] == [REFUSED.status] * 2
    assert {name: site.invites(number) for name, site in bad.items()} == dict.fromkeys(bad, 0)
    assert sites[-1].invites(number) == 2
    assert {m.header("call-id") for m in clearip.received()} == {first.call_id, second.call_id}


def _was_tried(site: LegSite) -> bool:
    return len(site.names_asked) >= TRIES


def test_server_with_tls_1_1_alone_is_one(leg: Leg) -> None:
    """The server of the test above does speak TLS 1.1, with a client that wants to."""
    site = BAD_SERVERS["speaks no TLS above 1.1"](leg)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    TlsServer(only_version=ssl.TLSVersion.TLSv1_1).prepare(context)

    with (
        socket.create_connection((HOST, site.port)) as connection,
        context.wrap_socket(connection) as client,
    ):
        assert client.version() == "TLSv1.1"


def test_caller_is_answered_at_once_where_no_server_can_be_verified(leg: Leg, number: str) -> None:
    """The 503 is the proxy's own; the log says which names were found and which was wanted."""
    wrong = BAD_SERVERS["shows another name"](leg)
    expired = BAD_SERVERS["shows an expired certificate"](leg)
    proxy = leg.proxy([wrong, expired])
    (line, *_) = wait_for_lines(proxy, wrong, "is refused")
    wait_until(partial(_was_tried, wrong), "the site is tried again")

    call = place_call(proxy.place("udp"), number)

    assert call.status == 503
    assert call.final.headers("reason") == [UNAVAILABLE]
    assert call.took_ms < AT_ONCE_MS
    assert "certificate is for sip.other.example, *.third.example" in line
    assert f"not for clearip.tls.server_name {SERVER_NAME}" in line
    assert wrong.received("INVITE") == expired.received("INVITE") == []


def test_name_is_found_among_several_and_behind_a_wildcard(leg: Leg, number: str) -> None:
    """A wildcard stands for one whole label (RFC 9525 §6.3); every name in the list counts."""
    wanted = "east.sip.clearip.com"
    parent, too_wide = leg.site(SERVER_NAME), leg.site("*.clearip.com")
    wildcard = leg.site("*.sip.clearip.com")
    among_several = leg.site("sip.other.example", "*.third.example", wanted.upper(), HOST)
    sites = [parent, too_wide, wildcard, among_several]
    leg.clearip(number, sites)
    proxy = leg.proxy(sites, clearip={"tls": {"server_name": wanted}})
    wait_until_up(proxy, wildcard)
    wait_until_up(proxy, among_several)

    first = place_call(proxy.place("udp"), number)
    wildcard.close()
    wait_until_down(proxy, wildcard)
    second = place_call(proxy.place("udp"), number)

    assert [first.status, second.status] == [REFUSED.status] * 2
    assert [site.invites(number) for site in sites] == [0, 0, 1, 1]
    assert set(among_several.names_asked) == {wanted}


def test_other_server_at_a_verified_port_never_gets_a_call(leg: Leg, number: str) -> None:
    """A good site goes and another server takes its port, while calls run without a pause."""
    first, second = leg.site(), leg.site()
    leg.clearip(number, [first, second])
    proxy = leg.connected([first, second])

    with Calls(proxy.place("udp"), number, rate=100) as calls:
        calls.wait_for_more(20)
        first.close()
        asked = first.invites(number)
        first.open(leg.issue(*WRONG_NAMES))
        wait_for_lines(proxy, first, "is refused")
        tried = len(first.names_asked)
        wait_until(lambda: len(first.names_asked) >= tried + TRIES, "the site is tried again")
        calls.wait_for_more(20)

    assert {call.status for call in calls.placed} == {REFUSED.status}
    assert asked > 0
    assert first.invites(number) == asked


def test_site_that_shows_the_right_name_again_is_asked_again(leg: Leg, number: str) -> None:
    """A refused site is no outcast: its next certificate counts."""
    site = leg.site(*WRONG_NAMES)
    leg.clearip(number, [site])
    proxy = leg.proxy([site])
    wait_for_lines(proxy, site, "is refused")

    site.close()
    site.open(leg.issue())
    wait_until_up(proxy, site)

    assert place_call(proxy.place("udp"), number).status == REFUSED.status
    assert site.invites(number) == 1


def test_client_certificate_is_shown_where_it_is_demanded(leg: Leg, number: str) -> None:
    """ClearIP may know its customers by it."""
    site = leg.site(server=TlsServer(clients_of=leg.ca_file))
    leg.clearip(number, [site])
    certificate, key = leg.client_certificate()
    proxy = leg.proxy(
        [site], clearip={"tls": {"certificate": str(certificate), "private_key": str(key)}}
    )
    wait_until_up(proxy, site)

    assert place_call(proxy.place("udp"), number).status == REFUSED.status
    assert site.invites(number) == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_site_is_asked_by_its_server_name_over_tls_1_2_and_1_3(
    leg: Leg, number: str, version: ssl.TLSVersion
) -> None:
    """SNI is in every handshake; the INVITE travels on the connection of the OPTIONS."""
    site = leg.site(server=TlsServer(only_version=version))
    leg.clearip(number, [site])
    proxy = leg.connected([site])

    assert place_call(proxy.place("udp"), number).status == REFUSED.status
    (invite,) = site.received("INVITE")
    options = site.received("OPTIONS")[0]
    assert invite.tls == version.name.replace("_", ".")
    assert invite.server_name == SERVER_NAME
    assert invite.peer == options.peer
