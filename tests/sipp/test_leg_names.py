"""A ClearIP site that is given by name: all of its addresses, as the DNS has them now."""

from pathlib import Path

import pytest

from sipp.leg import REFUSED, Leg
from sipp.leg_calls import Calls, place_call
from sipp.leg_site import LegSite
from sipp.name_server import NameServer
from sipp.proxy import Proxy
from sipp.waiting import wait_until

NAME = "clearip.example"
HOSTS = ("127.0.0.2", "127.0.0.3")
CALLS = 40
UP, DOWN = " is up", " is down"


@pytest.fixture
def name_server(leg: Leg, tmp_path: Path) -> NameServer:
    """A name server that answers what it has been told, and is silent otherwise."""
    return leg.until_the_end(NameServer(tmp_path))


def named_sites(leg: Leg) -> list[LegSite]:
    """Two servers at one port of two hosts."""
    first = leg.closed_site(host=HOSTS[0])
    sites = [first, leg.closed_site(host=HOSTS[1], port=first.port)]
    for site in sites:
        site.open()
    return sites


def proxy_asking(leg: Leg, name_server: NameServer, port: int) -> Proxy:
    """Start a proxy that knows ClearIP by name alone."""
    sites = {"sites": [{"host": NAME, "port": port}]}
    return leg.proxy([], prefix=name_server.prefix, clearip=sites)


def wait_for_log(proxy: Proxy, site: LegSite, text: str, times: int = 1) -> None:
    """Wait until the log has said something of one address so often."""

    def said() -> int:
        of_it = (line for line in proxy.log().splitlines() if f" at {site.host} " in line)
        return sum(text in line for line in of_it)

    wait_until(lambda: said() >= times, f"{site.host}{text} {times} times")


def test_addresses_of_a_name_share_the_calls_and_give_way_to_each_other(
    leg: Leg, name_server: NameServer, number: str
) -> None:
    """One INVITE for each call while both are there; none is lost when one goes."""
    sites = named_sites(leg)
    leg.clearip(number, sites)
    name_server.addresses[NAME] = HOSTS
    proxy = proxy_asking(leg, name_server, sites[0].port)
    for site in sites:
        wait_for_log(proxy, site, UP)

    with Calls(proxy.place("udp"), number, rate=100, count=CALLS) as shared:
        shared.wait_for_answers(CALLS)
    shares = [site.invites(number) for site in sites]
    sites[0].close()
    wait_for_log(proxy, sites[0], DOWN)
    with Calls(proxy.place("udp"), number, rate=100, count=CALLS) as left:
        left.wait_for_answers(CALLS)
    sites[0].open()
    wait_for_log(proxy, sites[0], UP, times=2)
    with Calls(proxy.place("udp"), number, rate=100) as back:
        wait_until(lambda: sites[0].invites(number) > shares[0], "the first address is used again")

    assert min(shares) > 0
    assert sum(shares) == CALLS
    placed = [*shared.placed, *left.placed, *back.placed]
    assert {call.status for call in placed} == {REFUSED.status}
    asked = [*sites[0].call_ids(), *sites[1].call_ids()]
    assert sorted(asked) == sorted(call.call_id for call in placed)


def test_proxy_follows_the_dns_and_outlives_its_silence(
    leg: Leg, name_server: NameServer, number: str
) -> None:
    """It starts while the DNS is silent, finds ClearIP when it answers, and moves with it."""
    first, second = named_sites(leg)
    leg.clearip(number, [first, second])
    name_server.ttl_s = 1
    proxy = proxy_asking(leg, name_server, first.port)
    wait_until(lambda: "its name cannot be looked up" in proxy.log(), "the log tells of the DNS")

    statuses = [place_call(proxy.place("udp"), number).status]
    name_server.addresses[NAME] = first.host
    wait_for_log(proxy, first, UP)
    statuses.append(place_call(proxy.place("udp"), number).status)
    name_server.addresses[NAME] = second.host
    wait_for_log(proxy, second, UP)
    statuses.append(place_call(proxy.place("udp"), number).status)
    asked = len(name_server.questions)
    del name_server.addresses[NAME]
    wait_until(lambda: len(name_server.questions) > asked, "the silent DNS is asked")
    statuses.append(place_call(proxy.place("udp"), number).status)

    assert statuses == [503, REFUSED.status, REFUSED.status, REFUSED.status]
    assert (first.invites(number), second.invites(number)) == (1, 2)
