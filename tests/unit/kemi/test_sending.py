"""Which socket a request leaves from, where there are several."""

import pytest

from clearip_proxy.ksr.sockets import SOCKET, KsrSockets
from clearip_proxy.location.sending import SendingPolicy, address_towards
from clearip_proxy.sip.uri import parse_uri
from unit.kemi.fake_ksr import FakeKsr

PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
HERE = SendingPolicy({"127.0.0.1": "192.0.2.1", "::1": "[2001:db8::1]"}, PORTS)
"""The kernel sends from loopback to loopback; the listeners are told apart from it."""


@pytest.mark.parametrize(
    ("uri", "socket"),
    [
        ("sip:1@127.0.0.9;transport=tcp", "tcp:192.0.2.1:5060"),
        ("sip:1@127.0.0.9:6000;transport=tls", "tls:192.0.2.1:5061"),
        ("sips:1@127.0.0.9", "tls:192.0.2.1:5061"),
        ("sip:1@[::1];transport=tcp", "tcp:[2001:db8::1]:5060"),
        ("sip:1@example.net;maddr=127.0.0.9;transport=tcp", "tcp:192.0.2.1:5060"),
        ("sip:1@127.0.0.9", None),
        ("sip:1@255.255.255.255;transport=tcp", None),
        ("sip:1@example.invalid;transport=tcp", None),
    ],
)
def test_request_leaves_from_the_address_that_leads_to_its_target(
    uri: str, socket: str | None
) -> None:
    """Over UDP Kamailio asks the kernel itself; the socket of the branch before is forgotten."""
    ksr = FakeKsr()
    ksr.pv.sets(SOCKET, "tls:192.0.2.1:5061")

    KsrSockets(ksr, HERE).towards(parse_uri(uri))

    assert ksr.pv.get(SOCKET) == socket


def test_udp_is_told_where_kamailio_may_not_ask_the_kernel() -> None:
    """It would send from addresses that nobody listens on."""
    policy = SendingPolicy(HERE.addresses, PORTS, names_udp=True)

    assert policy.socket_towards("udp", "127.0.0.9") == "udp:192.0.2.1:5060"


def test_clearip_is_asked_from_the_address_that_leads_there() -> None:
    """Over TLS."""
    ksr = FakeKsr()

    KsrSockets(ksr, HERE).towards_clearip("sip:127.0.0.9:5061;transport=tls")

    assert ksr.pv.get(SOCKET) == "tls:192.0.2.1:5061"


def test_host_with_one_address_is_asked_nothing() -> None:
    """What was chosen stays, as nothing ever is."""
    ksr = FakeKsr()
    ksr.pv.sets(SOCKET, "kept")
    sockets = KsrSockets(ksr, SendingPolicy())

    sockets.towards(parse_uri("sip:127.0.0.9;transport=tcp"))
    sockets.towards_clearip("sip:127.0.0.9;transport=tls")

    assert ksr.pv.get(SOCKET) == "kept"


def test_kernel_says_what_it_sends_from() -> None:
    """In both families; nothing for what is no address."""
    assert address_towards("127.0.0.9") == "127.0.0.1"
    assert address_towards("[::1]") == "::1"
    assert address_towards("nowhere.invalid") == ""
