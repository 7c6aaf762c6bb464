"""What memory does not know, the world outside is asked for."""

import pytest

from clearip_proxy.ksr.knowledge import Asked, MustAskError, Outside
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.location.locating import LookUpFailed, NaptrRecord, SrvRecord
from clearip_proxy.location.target_way import NextHops
from clearip_proxy.sip.uri import parse_uri
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.known_records import KnownRecords
from unit.kemi.target_values import no_probe


class AddressesAlone(KnownRecords):
    """A name server that says nothing about anything but addresses."""

    def naptr(self, name: str, /) -> list[NaptrRecord]:
        """Silence."""
        raise LookUpFailed(name)

    def srv(self, name: str, /) -> list[SrvRecord]:
        """Silence."""
        raise LookUpFailed(name)


def asked(ksr: FakeKsr, time_left_s: float = 1.0) -> Asked:
    """Knowledge of a process that may ask."""
    outside = Outside(lambda _: AddressesAlone(), no_probe)
    return Asked(KsrMemory(ksr), outside, lambda: time_left_s)


def test_silence_about_servers_leaves_the_addresses_of_the_name() -> None:
    """Packet filters exist that let no NAPTR through."""
    found = asked(FakeKsr()).next_hops(parse_uri("sip:1@gw.example.net"))

    assert found.uris[0] == "sip:192.0.2.7:5060;transport=udp"


def test_silence_about_everything_is_named() -> None:
    """By the first question without an answer; what the log then says."""
    found = asked(FakeKsr()).next_hops(parse_uri("sip:1@dead.example.net"))

    assert found == NextHops((), "name server: dead.example.net")


def test_nobody_is_asked_without_time() -> None:
    """And nothing is learnt of that: the name may be in order."""
    ksr = FakeKsr()

    with pytest.raises(MustAskError):
        asked(ksr, 0.0).next_hops(parse_uri("sip:1@gw.example.net"))
    with pytest.raises(MustAskError):
        asked(ksr, 0.0).takes_tcp(parse_uri("sip:192.0.2.7"), "tcp_refused")
    assert not any(ksr.tables.values())
