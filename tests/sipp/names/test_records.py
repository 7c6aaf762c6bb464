"""Contacts with names: which records say where they lead (RFC 3263 §4.1 and §4.2)."""

from typing import NamedTuple

import pytest

from sipp.clearip import ClearIp
from sipp.names.conftest import BY_NAME, BY_NAME_PORT
from sipp.names.dns_zone import DnsZone, Domain
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp

DEFAULT_PORT = 5060


@pytest.mark.parametrize("record", [("A", "127.0.0.1"), ("AAAA", "::1")], ids=["A", "AAAA"])
def test_name_with_a_port_leads_to_its_address(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp, record: tuple[str, str]
) -> None:
    """No other record is asked for, and the Request-URI keeps the name."""
    target = sipp.play("target-200", host=record[1])
    domain.add(*record)
    uri = f"sip:{sipp.number}@{domain.name}:{target.place.port}"
    clearip.redirects_to(f"<{uri}>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == uri
    assert domain.asked() == domain.asked("A") + domain.asked("AAAA") == 2


def test_name_without_servers_leads_to_its_address_and_the_usual_port(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """Neither NAPTR nor SRV: UDP and port 5060."""
    target = sipp.play("target-200", host="127.0.0.60", port=DEFAULT_PORT)
    domain.add("A", "127.0.0.60")
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == f"sip:{sipp.number}@{domain.name}"


class Offer(NamedTuple):
    """Under which name a domain offers a transport, and how a Contact asks for it."""

    transport: Transport
    service: str
    parameter: str = ""


OFFERS = {
    "udp-by-default": Offer("udp", "_sip._udp"),
    "udp": Offer("udp", "_sip._udp", ";transport=udp"),
    "tcp": Offer("tcp", "_sip._tcp", ";transport=tcp"),
    "tls": Offer("tls", "_sips._tcp", ";transport=tls"),
    "tcp-alone": Offer("tcp", "_sip._tcp"),
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
def test_name_leads_to_the_server_of_its_transport(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp, offer: Offer
) -> None:
    """SRV says host and port; the name may offer one transport alone."""
    target = sipp.play("target-200", transport=offer.transport)
    server = f"10 1 {target.place.port} host.{domain.name}."
    domain.add("SRV", server, below=offer.service)
    domain.add("A", "127.0.0.1", below="host")
    uri = f"sip:{sipp.number}@{domain.name}{offer.parameter}"
    clearip.redirects_to(f"<{uri}>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == uri
    assert target.invite.header("via").startswith(f"SIP/2.0/{offer.transport.upper()} ")


def test_naptr_says_which_transport_and_which_servers(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """The domain prefers TCP, and its servers stand under another name (RFC 3263 §4.1)."""
    preferred, other = sipp.play("target-200", transport="tcp"), sipp.play("nobody")
    domain.add(
        "NAPTR",
        f'20 10 "s" "SIP+D2U" "" _sip._udp.{domain.name}.',
        f'10 10 "s" "SIP+D2T" "" _sip._tcp.hosted.{domain.name}.',
    )
    domain.add("SRV", f"1 1 {other.place.port} host.{domain.name}.", below="_sip._udp")
    domain.add("SRV", f"1 1 {preferred.place.port} host.{domain.name}.", below="_sip._tcp.hosted")
    domain.add("A", "127.0.0.1", below="host")
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, preferred)
    assert other.is_silent


def test_address_is_asked_for_once_in_its_time(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """The next call within the time to live goes straight."""
    domain.add("A", "127.0.0.1")
    port = sipp.vacancy().port

    for _ in range(2):
        target = sipp.play("target-200", port=port)
        clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}:{port}>")
        assert all_succeeded(sipp.play("uac-answered", to=proxy), target)

    assert domain.asked("A") == 1


def test_alias_may_stand_for_a_name(
    proxy: Proxy, zone: DnsZone, clearip: ClearIp, sipp: Sipp
) -> None:
    """A trunk group of the configuration's is looked up like a Contact."""
    target = sipp.play("target-200", port=BY_NAME_PORT)
    zone.add("gateway.example", "A", "127.0.0.1")
    clearip.redirects_to(f"<sip:{sipp.number};tgrp={BY_NAME.upper()}@sip.clearip.com>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    user = f"{sipp.number};tgrp={BY_NAME.upper()}"
    assert target.invite.request_uri == f"sip:{user}@gateway.example:{BY_NAME_PORT}"
