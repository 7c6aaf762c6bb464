"""ClearIP's sites go and come back while many calls run, and again and again.

INLINE_PROXY_RECONNECTS changes how often a site closes the connection (1000 for a long look).
"""

import itertools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from inline_proxy.lab.answer import Answer
from inline_proxy.lab.certificates import CertificateAuthority
from inline_proxy.lab.message import Message
from sipp.leg import REFUSED, Leg, leg_lab, wait_until_up
from sipp.leg_calls import Calls, median_ms
from sipp.leg_site import LegSite
from sipp.proxy import Proxy
from sipp.waiting import wait_until

RATE = 200
SECOND_OF_CALLS = RATE
RECONNECTS = int(os.environ.get("INLINE_PROXY_RECONNECTS", "100"))
SITES = 20
WARM_UP_ROUNDS = 2
TOLERATED_GROWTH_BYTES = 65_536
AT_ONCE_MS = 10
RESPONSE_TIMEOUT_MS = 2000
TOLERANCE_MS = 1500
"""What a machine may add that has other things to do: less than another timeout."""
PATIENT = {"response_timeout_ms": RESPONSE_TIMEOUT_MS}


@pytest.fixture
def leg(
    _own_network: None, tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority
) -> Iterator[Leg]:
    """The sites and the proxy of one test."""
    with leg_lab(tmp_path_factory.mktemp("leg"), authority) as lab:
        yield lab


def test_site_that_dies_and_comes_back_costs_no_call(leg: Leg, number: str) -> None:
    """Only calls that were at the dying site are asked again, and wait for one timeout."""
    first, second = leg.site(), leg.site()
    leg.clearip(number, [first, second], Answer(603, "Decline", delay_ms=20))
    proxy = leg.connected([first, second], clearip=PATIENT)

    with Calls(proxy.place("udp"), number, rate=RATE) as calls:
        calls.wait_for_more(SECOND_OF_CALLS)
        first.close()
        calls.wait_for_more(SECOND_OF_CALLS)
        first.open()
        wait_until_up(proxy, first, times=2)
        asked = first.invites(number)
        calls.wait_for_more(SECOND_OF_CALLS)

    assert Counter(call.status for call in calls.placed) == {REFUSED.status: len(calls.placed)}
    assert max(call.took_ms for call in calls.placed) < RESPONSE_TIMEOUT_MS + TOLERANCE_MS
    assert first.invites(number) > asked
    at_sites = Counter([*first.call_ids(), *second.call_ids()])
    assert at_sites.keys() == {call.call_id for call in calls.placed}
    assert {call for call, times in at_sites.items() if times > 1} <= unanswered(first)
    assert max(at_sites.values()) <= 2
    sys.stdout.write(f"{len(calls.placed)} calls, {len(unanswered(first))} on the dying site\n")


def test_calls_are_answered_at_once_while_every_site_is_dead(leg: Leg, number: str) -> None:
    """With on_unavailable relay: a 503 each, none left without."""
    sites = [leg.site(), leg.site()]
    leg.clearip(number, sites)
    proxy = leg.connected(sites, clearip=PATIENT)

    with Calls(proxy.place("udp"), number, rate=RATE) as calls:
        calls.wait_for_more(SECOND_OF_CALLS)
        for site in sites:
            site.close()
        wait_until(lambda: answered_at_once(calls, SECOND_OF_CALLS), "the proxy has given up")

    assert {call.status for call in calls.placed} == {REFUSED.status, 503}
    assert median_ms(calls.answered[-SECOND_OF_CALLS:]) < AT_ONCE_MS
    assert max(call.took_ms for call in calls.placed) < 2 * RESPONSE_TIMEOUT_MS + TOLERANCE_MS


def answered_at_once(calls: Calls, count: int) -> bool:
    """Tell whether the last calls were all refused by the proxy without a wait."""
    last = calls.answered[-count:]
    return all(call.status == 503 and call.took_ms < 100 for call in last)


def unanswered(site: LegSite) -> set[str]:
    """The calls that a site has received and not answered."""
    entries = tuple(site.site.record.entries)
    sent = (Message.parse(entry.text) for entry in entries if entry.direction == "sent")
    answered = {response.header("call-id") for response in sent if response.method == "INVITE"}
    return set(site.call_ids()) - answered


@pytest.mark.timeout(120 + RECONNECTS)
def test_reconnects_leave_nothing_behind(leg: Leg) -> None:
    """No connection, no file descriptor and no shared memory stays of one that was closed."""
    sites = [leg.site() for _ in range(SITES)]
    proxy = leg.connected(sites, clearip={"keepalive_s": 60})
    rounds = itertools.count(2)

    reconnect(proxy, sites, rounds, WARM_UP_ROUNDS)
    before = held(proxy, sites)
    reconnect(proxy, sites, rounds, RECONNECTS // SITES)
    after = held(proxy, sites)

    sys.stdout.write(f"{RECONNECTS} reconnects: {before}, then {after}\n")
    assert after.descriptors <= before.descriptors
    assert after.shared_memory - before.shared_memory < TOLERATED_GROWTH_BYTES


@dataclass(frozen=True, slots=True)
class Held:
    """What all of Kamailio's processes hold."""

    descriptors: int
    shared_memory: int


def reconnect(proxy: Proxy, sites: list[LegSite], rounds: Iterator[int], count: int) -> None:
    """Close the connections of all sites and wait until each is verified anew, so many times."""
    for times in itertools.islice(rounds, count):
        for site in sites:
            site.close()
            site.open()
        for site in sites:
            wait_until_up(proxy, site, times)


def held(proxy: Proxy, sites: list[LegSite]) -> Held:
    """Wait until one connection per site is left and no transaction; say what is held then."""

    def is_settled() -> bool:
        connections = int(kamcmd(proxy, "core.tcp_info")["opened_tls_connections"])
        return connections == len(sites) and kamcmd(proxy, "tm.stats")["current"] == "0"

    wait_until(is_settled, "one connection per site is left, and no transaction")
    processes = psutil.Process(proxy.process.pid).children(recursive=True)
    return Held(
        sum(process.num_fds() for process in processes),
        int(kamcmd(proxy, "core.shmmem")["used"]),
    )


def kamcmd(proxy: Proxy, command: str) -> dict[str, str]:
    """Ask Kamailio for numbers, over the socket that it has for the operator."""
    (socket,) = proxy.directory.glob("inline-proxy-*/rpc.sock")
    asked = ["kamcmd", "-s", f"unix:{socket}", command]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    lines = (line.partition(":") for line in said.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}
