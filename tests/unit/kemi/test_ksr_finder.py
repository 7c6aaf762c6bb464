"""Finding the addresses of the ClearIP sites."""

from collections.abc import Sequence

from clearip_proxy.ksr.finder import RETRY_MS, SiteFinder
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.location.dns_records import DnsRecords
from clearip_proxy.location.locating import LookUpFailed
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy
from unit.kemi.fake_ksr import FakeKsr

NAMED = "sip:sip.clearip.com:5061;transport=tls"
POLICY = ClearIpPolicy("c", "c", 2_000, sites=(NAMED, "sip:192.0.2.9:5061;transport=tls"))
TTL_S = 60


def hop(address: str) -> str:
    """The URI of an address."""
    return f"sip:{address}:5061;transport=tls"


class Dns:
    """What the name server says; nothing means that it is silent."""

    def __init__(self, *addresses: str) -> None:
        self.says: Sequence[str] | None = addresses
        self.questions: list[str] = []

    def records(self) -> DnsRecords:
        """Ask about one site."""
        return _Records(self)


class _Records(DnsRecords):
    def __init__(self, dns: Dns) -> None:
        super().__init__()
        self._dns = dns
        self._ttl_s = TTL_S

    def addresses(self, name: str, /) -> list[str]:
        self._dns.questions.append(name)
        if self._dns.says is None:
            raise LookUpFailed(f"{name} A: LifetimeTimeout")
        return list(self._dns.says)


class Lab:
    """A finder, its clock, its Kamailio and its name server."""

    def __init__(self, *addresses: str, ip_versions: tuple[int, ...] = (4, 6)) -> None:
        self.ms = 0
        self.ksr = FakeKsr()
        self.dns = Dns(*addresses)
        policy = ClearIpPolicy("c", "c", 2_000, sites=POLICY.sites, ip_versions=ip_versions)
        self.finder = SiteFinder(self.ksr, policy, lambda: Moment(self.ms), self.dns.records)

    def found_at(self, ms: int) -> tuple[tuple[str, ...], str]:
        """Let the finder work, and see what the keeper gets to see."""
        self.ms = ms
        self.finder.tick()
        return KsrSites(self.ksr).addresses(NAMED)


def test_name_is_looked_up_as_often_as_its_ttl_says() -> None:
    """And a site that is an address never."""
    lab = Lab("192.0.2.1")
    for ms in range(0, 2 * TTL_S * 1000, 200):
        lab.found_at(ms)

    assert lab.dns.questions == ["sip.clearip.com"] * 2


def test_addresses_keep_their_places_as_long_as_they_stay() -> None:
    """Name servers turn them round with each answer."""
    lab = Lab("192.0.2.1", "192.0.2.2", "192.0.2.3")
    lab.found_at(0)
    lab.dns.says = ("192.0.2.4", "192.0.2.3", "192.0.2.1")

    found, fault = lab.found_at(TTL_S * 1000)

    assert found == (hop("192.0.2.1"), hop("192.0.2.3"), hop("192.0.2.4"))
    assert fault == ""
    assert len(lab.ksr.logged) == 2


def test_addresses_without_a_socket_to_send_from_are_left_out() -> None:
    """A proxy without IPv6 cannot reach them."""
    assert Lab("192.0.2.1", "2001:db8::1", ip_versions=(4,)).found_at(0)[0] == (hop("192.0.2.1"),)
    assert Lab("192.0.2.1", "2001:db8::1").found_at(0)[0][1] == hop("[2001:db8::1]")


def test_silent_name_server_costs_no_address_that_is_known() -> None:
    """It is asked again soon, and the log says so once."""
    lab = Lab("192.0.2.1")
    lab.found_at(0)
    lab.dns.says = None
    times = range(TTL_S * 1000, TTL_S * 1000 + 3 * RETRY_MS + 1, RETRY_MS)
    found = [lab.found_at(ms) for ms in times]
    lab.dns.says = ("192.0.2.2",)
    back = lab.found_at(times[-1] + RETRY_MS)

    fault = "its name cannot be looked up: sip.clearip.com A: LifetimeTimeout"
    assert found == [((hop("192.0.2.1"),), fault)] * 4
    assert sum("cannot be looked up" in line for line in lab.ksr.logged) == 1
    assert back == ((hop("192.0.2.2"),), "")


def test_name_without_address_is_a_fault() -> None:
    """Also when it had one."""
    lab = Lab("192.0.2.1")
    lab.found_at(0)
    lab.dns.says = ()

    assert lab.found_at(TTL_S * 1000) == ((), "its name leads to no address that can be used")
