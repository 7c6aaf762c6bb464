"""Questions to a DNS server on loopback."""

import socket
import threading
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest

from clearip_proxy.location import dns_records
from clearip_proxy.location.dns_records import DnsRecords
from clearip_proxy.location.locating import LookUpFailed, NaptrRecord, SrvRecord

ZONE = (
    ("gw.test.", 40, "A", ("192.0.2.1", "192.0.2.2")),
    ("lossy.test.", 60, "SRV", ("1 1 5060 gw.test.",)),
    ("four.test.", 40, "A", ("192.0.2.4",)),
    ("gw.test.", 90, "AAAA", ("2001:db8::1",)),
    ("_sip._udp.gw.test.", 1, "SRV", ("10 5 5070 GW.test.",)),
    (
        "gw.test.",
        60,
        "NAPTR",
        ('10 1 "s" "SIP+D2T" "" _sip._tcp.gw.test.', '20 1 "u" "E2U+sip" "!x!y!" .'),
    ),
)


def answer_to(query: dns.message.Message) -> dns.message.Message:
    """What the zone says; NXDOMAIN for names that are not in it."""
    [question] = query.question
    response = dns.message.make_response(query)
    for name, ttl, kind, values in ZONE:
        rrset = dns.rrset.from_text(name, ttl, "IN", kind, *values)
        if rrset.name == question.name and rrset.rdtype == question.rdtype:
            response.answer.append(rrset)
    if not any(question.name.to_text() == name for name, *_ in ZONE):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A name server that answers until it is told to stop."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        lost: list[str] = []

        def serve() -> None:
            while (received := server.recvfrom(4096))[0] != b"stop":
                query = dns.message.from_wire(received[0])
                name = query.question[0].name.to_text()
                is_ipv6 = query.question[0].rdtype == dns.rdatatype.AAAA
                is_lost = name == "lossy.test." and not lost
                if is_lost:
                    lost.append(name)
                elif "silent" not in name and not (is_ipv6 and name == "four.test."):
                    server.sendto(answer_to(query).to_wire(), received[1])

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
            stop.sendto(b"stop", server.getsockname())
        thread.join()


@pytest.fixture
def records(port: int, monkeypatch: pytest.MonkeyPatch) -> DnsRecords:
    """Records that come from that name server."""

    def configure(resolver: dns.resolver.Resolver, *_: object) -> None:
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = port

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", configure)
    return DnsRecords()


def test_addresses_of_both_families_are_found(records: DnsRecords) -> None:
    """IPv4 first; a DNS server may turn the addresses of one family round."""
    found = records.addresses("gw.test")

    assert sorted(found[:2]) == ["192.0.2.1", "192.0.2.2"]
    assert found[2:] == ["2001:db8::1"]
    assert records.ttl_s == 40


@pytest.mark.parametrize("address", ["192.0.2.9", "2001:db8::9"])
def test_address_is_its_own(records: DnsRecords, address: str) -> None:
    """A server that is named by its address needs no question."""
    assert records.addresses(address) == [address]


def test_number_that_is_no_address_is_a_name(records: DnsRecords) -> None:
    """Kamailio itself would look it up, and wait."""
    assert records.addresses("256.1.1.1") == []


def test_servers_are_found(records: DnsRecords) -> None:
    """Names without a root dot, in lower case; a tiny TTL is raised to a sane one."""
    assert records.srv("_sip._udp.gw.test") == [SrvRecord(10, 5, "gw.test", 5070)]
    assert records.ttl_s == 5


def test_services_are_found_without_those_that_rewrite(records: DnsRecords) -> None:
    """RFC 3263 §4.1 uses records with a replacement alone."""
    assert records.naptr("gw.test") == [NaptrRecord(10, 1, "SIP+D2T", "_sip._tcp.gw.test")]


def test_name_without_records_has_none(records: DnsRecords) -> None:
    """Neither an unknown name nor an unknown kind is a failure."""
    assert records.addresses("nowhere.test") == []
    assert records.srv("gw.test") == []


def test_silent_name_server_fails_in_time(
    records: DnsRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call waits for seconds at most."""
    monkeypatch.setattr(dns_records, "QUESTION_S", 0.2)

    with pytest.raises(LookUpFailed, match=r"silent\.test A: LifetimeTimeout"):
        records.addresses("silent.test")


def test_silence_about_ipv6_leaves_the_other_addresses(
    records: DnsRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are good without, but not for long."""
    monkeypatch.setattr(dns_records, "QUESTION_S", 0.2)

    assert records.addresses("four.test") == ["192.0.2.4"]
    assert records.ttl_s == dns_records.SHORTEST_TTL_S


def test_lost_question_is_asked_again(records: DnsRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    """UDP loses packets: one try is not all the time there is."""
    monkeypatch.setattr(dns_records, "TRY_S", 0.1)

    assert records.srv("lossy.test") == [SrvRecord(1, 1, "gw.test", 5060)]


def test_slow_name_server_is_not_asked_without_end(
    port: int,  # noqa: ARG001 - the name server would answer
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All questions about a target together have their time as well."""
    monkeypatch.setattr(dns_records, "ALL_QUESTIONS_S", 0.0)

    with pytest.raises(LookUpFailed, match="no time left"):
        DnsRecords().addresses("gw.test")
