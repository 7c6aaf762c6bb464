"""Those who are not trusted: no answer, a count by network, few lines in the log."""

import pytest

from clearip_proxy.ksr.strangers import MOST_NETWORKS, KsrStrangers, is_power_of_ten, network_of
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.sources import TrustedSources
from unit.kemi.fake_ksr import FakeKsr

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(),
    own=frozenset({"192.0.2.1:5060", "[2001:db8::1]:5061"}),
)
OVER_UDP: dict[str, str | int] = {"$pr": "udp", "$Rp": 5060}


@pytest.mark.parametrize(("transport", "port"), [("tcp", 5060), ("tls", 5061)])
def test_connection_that_a_stranger_opened_is_closed(transport: str, port: int) -> None:
    """At its first request."""
    ksr = FakeKsr(variables={"$pr": transport, "$Rp": port})

    KsrStrangers(ksr, POLICY).turn_away("192.0.2.66")

    assert ksr.calls == [("tcp_close_connection",)]


@pytest.mark.parametrize("port", [38111, 0])
def test_connection_that_the_proxy_opened_stays_open(port: int) -> None:
    """It leads to a target or to ClearIP, and calls are under way on it."""
    ksr = FakeKsr(variables={"$pr": "tls", "$Rp": port})

    KsrStrangers(ksr, POLICY).turn_away("192.0.2.66")

    assert ksr.calls == []


def test_each_network_is_counted_and_named_at_powers_of_ten() -> None:
    """A scanner cannot flood the log."""
    ksr = FakeKsr(variables=OVER_UDP)
    strangers = KsrStrangers(ksr, POLICY)

    for host in range(1, 251):
        strangers.turn_away(f"192.0.2.{host}")

    assert ksr.tables["strangers"] == {"networks": 1, "192.0.2.0/24": 250}
    assert ksr.tables["counters"] == {"requests_turned_away": 250}
    assert ksr.logged == [
        f"not answered: 192.0.2.{number} is not a trusted source "
        f"(request {number} from 192.0.2.0/24 in ten minutes)\n"
        for number in (1, 10, 100)
    ]


def test_number_of_networks_is_bounded() -> None:
    """Forged addresses fill neither the memory nor the log."""
    ksr = FakeKsr(variables=OVER_UDP)
    strangers = KsrStrangers(ksr, POLICY)

    for number in range(2 * MOST_NETWORKS):
        strangers.turn_away(f"203.{number // 256}.{number % 256}.9")

    table = ksr.tables["strangers"]
    assert len(table) == MOST_NETWORKS + 2
    assert table["other networks"] == MOST_NETWORKS
    assert len(ksr.logged) < MOST_NETWORKS + 5


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.66", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
def test_network_is_what_one_party_is_given(address: str, network: str) -> None:
    """/24 and /64."""
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("number", "expected"), [(1, True), (10, True), (1000, True), (0, False), (20, False)]
)
def test_power_of_ten_is_told_from_other_numbers(number: int, *, expected: bool) -> None:
    """One line in the log for each."""
    assert is_power_of_ten(number) is expected
