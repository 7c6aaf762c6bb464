"""Names that are advertised, before a Kamailio that must resolve them."""

import socket
from ipaddress import ip_address

import pytest

from inline_proxy.advertised_name import unresolved
from inline_proxy.kamailio_version import KamailioVersion
from inline_proxy.listeners import Listener

OLD, NEW = KamailioVersion(5, 6, 3), KamailioVersion(6, 0, 1)


@pytest.fixture(autouse=True)
def _name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Knows one name."""

    def resolve(name: str, _port: None) -> None:
        if name != "known.example":
            raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def listeners(*advertised: str | None) -> list[Listener]:
    """Sockets that advertise these."""
    return [Listener("udp", ip_address("192.0.2.1"), 5060, each) for each in advertised]


def test_name_without_address_is_said_once_with_what_to_do() -> None:
    """However many listeners advertise it."""
    (sentence,) = unresolved(listeners("sip.example", "sip.example", None), OLD)

    assert sentence == (
        "listen.advertise: sip.example has no address in the DNS, and Kamailio 5.6.3 opens no "
        "listener without; put it into /etc/hosts, or give an address instead"
    )


@pytest.mark.parametrize("advertised", ["known.example", "203.0.113.7", "[2001:db8::1]"])
def test_name_with_address_and_address_are_fine(advertised: str) -> None:
    """An address is not looked up."""
    assert unresolved(listeners(advertised), OLD) == ()


def test_newer_kamailio_opens_the_listener_all_the_same() -> None:
    """Whether the name server answers or not."""
    assert unresolved(listeners("sip.example"), NEW) == ()
