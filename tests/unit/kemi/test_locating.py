"""Locating SIP servers: RFC 3263's rules on given records."""

from dataclasses import dataclass, field

import pytest

from clearip_proxy.location.locating import MAX_ADDRESSES, Address, NaptrRecord, SrvRecord, locate
from clearip_proxy.sip.uri import parse_uri


@dataclass
class GivenRecords:
    """A DNS of the test's own; it remembers what it was asked."""

    naptrs: dict[str, list[NaptrRecord]] = field(default_factory=dict)
    srvs: dict[str, list[SrvRecord]] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def naptr(self, name: str, /) -> list[NaptrRecord]:
        """The SIP services given."""
        self.asked.append(f"NAPTR {name}")
        return self.naptrs.get(name, [])

    def srv(self, name: str, /) -> list[SrvRecord]:
        """The servers given."""
        self.asked.append(f"SRV {name}")
        return self.srvs.get(name, [])

    def addresses(self, name: str, /) -> list[str]:
        """The addresses given."""
        self.asked.append(f"A {name}")
        return self.hosts.get(name, [])


HOSTS = {"gw.test": ["192.0.2.1", "2001:db8::1"], "a.test": ["192.0.2.2"], "b.test": ["192.0.2.3"]}


@pytest.mark.parametrize(
    ("uri", "first"),
    [
        ("sip:1@gw.test:5080", Address("udp", "192.0.2.1", 5080)),
        ("sip:1@gw.test:5080;transport=tcp", Address("tcp", "192.0.2.1", 5080)),
        ("sip:1@GW.test:5080;transport=TLS", Address("tls", "192.0.2.1", 5080)),
        ("sips:1@gw.test:5080", Address("tls", "192.0.2.1", 5080)),
        ("sip:1@gw.test:5080;transport=sctp", Address("udp", "192.0.2.1", 5080)),
    ],
)
def test_port_in_the_uri_asks_for_addresses_alone(uri: str, first: Address) -> None:
    """RFC 3263 §4.2: a port given rules NAPTR and SRV out."""
    records = GivenRecords(hosts=HOSTS)

    found = locate(parse_uri(uri), records)

    assert found[0] == first
    assert [address.host for address in found] == HOSTS["gw.test"]
    assert records.asked == ["A gw.test"]


def test_transport_in_the_uri_asks_for_its_servers() -> None:
    """By priority, then by weight."""
    records = GivenRecords(
        srvs={
            "_sip._tcp.gw.test": [
                SrvRecord(20, 9, "gw.test", 5060),
                SrvRecord(10, 1, "a.test", 5070),
                SrvRecord(10, 5, "b.test", 5080),
            ]
        },
        hosts=HOSTS,
    )

    found = locate(parse_uri("sip:1@gw.test;transport=tcp"), records)

    assert [address.uri for address in found] == [
        "sip:192.0.2.3:5080;transport=tcp",
        "sip:192.0.2.2:5070;transport=tcp",
        "sip:192.0.2.1:5060;transport=tcp",
        "sip:[2001:db8::1]:5060;transport=tcp",
    ]
    assert "NAPTR gw.test" not in records.asked


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sip:1@a.test", Address("udp", "192.0.2.2", 5060)),
        ("sip:1@a.test;transport=tcp", Address("tcp", "192.0.2.2", 5060)),
        ("sip:1@a.test;transport=tls", Address("tls", "192.0.2.2", 5061)),
        ("sips:1@a.test", Address("tls", "192.0.2.2", 5061)),
    ],
)
def test_domain_without_services_is_a_host_at_the_default_port(uri: str, address: Address) -> None:
    """The last resort of RFC 3263 §4.2."""
    assert locate(parse_uri(uri), GivenRecords(hosts=HOSTS)) == (address,)


def test_domain_prefers_the_transport_of_its_naptr() -> None:
    """By order, then preference; services that are none of SIP's are passed over."""
    records = GivenRecords(
        naptrs={
            "gw.test": [
                NaptrRecord(20, 1, "SIP+D2U", "_sip._udp.gw.test"),
                NaptrRecord(10, 5, "sip+d2t", "_sip._tcp.gw.test"),
                NaptrRecord(10, 1, "E2U+email", "x"),
            ]
        },
        srvs={
            "_sip._udp.gw.test": [SrvRecord(1, 1, "a.test", 5060)],
            "_sip._tcp.gw.test": [SrvRecord(1, 1, "b.test", 5060)],
            "_sips._tcp.gw.test": [SrvRecord(1, 1, "gw.test", 5061)],
        },
        hosts=HOSTS,
    )

    found = locate(parse_uri("sip:1@gw.test"), records)

    assert [address.transport for address in found] == ["tcp", "udp"]


def test_naptr_says_under_which_name_the_servers_stand() -> None:
    """Not always below the domain; flag `a` says that the name is a host (RFC 3263 §4.1)."""
    records = GivenRecords(
        naptrs={
            "gw.test": [
                NaptrRecord(10, 1, "SIP+D2T", "tcp.hosted.test"),
                NaptrRecord(20, 1, "SIP+D2U", "b.test", "A"),
                NaptrRecord(30, 1, "SIP+D2U", "a.test", "u"),
            ]
        },
        srvs={"tcp.hosted.test": [SrvRecord(1, 1, "a.test", 5070)]},
        hosts=HOSTS,
    )

    assert locate(parse_uri("sip:1@gw.test"), records) == (
        Address("tcp", "192.0.2.2", 5070),
        Address("udp", "192.0.2.3", 5060),
    )


def test_sips_uri_leads_nowhere_but_over_tls() -> None:
    """RFC 3263 §4.1: other services are left out."""
    records = GivenRecords(
        naptrs={
            "gw.test": [
                NaptrRecord(10, 1, "SIP+D2U", "_sip._udp.gw.test"),
                NaptrRecord(20, 1, "SIPS+D2T", "_sips._tcp.hosted.test"),
            ]
        },
        srvs={
            "_sip._udp.gw.test": [SrvRecord(1, 1, "a.test", 5060)],
            "_sips._tcp.hosted.test": [SrvRecord(1, 1, "b.test", 5071)],
        },
        hosts=HOSTS,
    )

    assert locate(parse_uri("sips:1@gw.test"), records) == (Address("tls", "192.0.2.3", 5071),)


def test_maddr_is_looked_up_in_place_of_the_host() -> None:
    """RFC 3263 §4: the target is the value of `maddr` where there is one."""
    records = GivenRecords(hosts=HOSTS)

    found = locate(parse_uri("sip:1@gw.test:5080;maddr=A.test"), records)

    assert found == (Address("udp", "192.0.2.2", 5080),)
    assert records.asked == ["A a.test"]


def test_domain_without_naptr_tries_the_servers_of_every_transport() -> None:
    """UDP first, as RFC 3261 has it."""
    records = GivenRecords(
        srvs={"_sips._tcp.gw.test": [SrvRecord(1, 1, "a.test", 5061)]}, hosts=HOSTS
    )

    assert locate(parse_uri("sip:1@gw.test"), records) == (Address("tls", "192.0.2.2", 5061),)


def test_name_that_is_nowhere_has_no_address() -> None:
    """Not an error: the next target is tried."""
    assert locate(parse_uri("sip:1@nowhere.test"), GivenRecords()) == ()


def test_addresses_are_bounded() -> None:
    """A name with a hundred addresses does not keep a caller waiting for all of them."""
    many = [f"192.0.2.{number}" for number in range(100)]
    servers = [SrvRecord(number, 1, "many.test", 5060) for number in range(100)]
    records = GivenRecords(srvs={"_sip._udp.many.test": servers}, hosts={"many.test": many})

    assert len(locate(parse_uri("sip:1@many.test;transport=udp"), records)) == MAX_ADDRESSES
    assert records.asked.count("A many.test") == 1
