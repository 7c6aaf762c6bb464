"""The packet filter with real packets: who reaches the proxy's ports, and who does not.

Two hosts and a wire between them. The proxy's host has the rules; on the other one live a switch,
a carrier and a stranger, each with an address of its own.
"""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from inline_proxy.config import parse_config
from inline_proxy.config.admin import Admin, Socket
from inline_proxy.packet_filter import packet_filter
from sipp.hosts import tcp_socket, udp_socket
from sipp.wire import (
    CARRIER,
    CARRIER_IPV6,
    LISTENERS,
    PROXY,
    PROXY_IPV6,
    STRANGER,
    STRANGER_IPV6,
    SWITCH,
    SWITCH_IPV6,
    TRUSTED,
    Wire,
)

IPV4, IPV6 = (PROXY, SWITCH), (PROXY_IPV6, SWITCH_IPV6)
ADMIN, OTHER_SERVICE = 8080, 2222
SOME_USER = 54_321


@pytest.mark.parametrize(("proxy", "switch"), [IPV4, IPV6], ids=["ipv4", "ipv6"])
def test_trusted_source_reaches_every_port(wire: Wire, proxy: str, switch: str) -> None:
    """Over UDP, TCP and TLS."""
    wire.load()
    heard = wire.hearing(proxy)
    for port in (5060, 5061):
        wire.listening(proxy, port)

    wire.says(switch, b"hello", to=proxy)

    assert heard.recv(100) == b"hello"
    assert all(wire.gets_through(switch, to=proxy, port=port) for port in (5060, 5061))


@pytest.mark.parametrize(
    ("proxy", "switch", "stranger"),
    [(*IPV4, STRANGER), (*IPV6, STRANGER_IPV6)],
    ids=["ipv4", "ipv6"],
)
def test_stranger_reaches_no_port_and_hears_nothing(
    wire: Wire, proxy: str, switch: str, stranger: str
) -> None:
    """What is sent after it by a switch arrives; of the stranger nothing does."""
    wire.load()
    heard = wire.hearing(proxy)
    for port in (5060, 5061):
        wire.listening(proxy, port)

    wire.says(stranger, b"let me in", to=proxy)
    wire.says(switch, b"hello", to=proxy)

    assert heard.recv(100) == b"hello"
    assert not wire.gets_through(stranger, to=proxy)
    assert not wire.gets_through(stranger, to=proxy, port=5061)
    assert wire.counted("strangers") >= 3


@pytest.mark.parametrize("proxy_and_carrier", [(PROXY, CARRIER), (PROXY_IPV6, CARRIER_IPV6)])
def test_target_that_was_called_over_udp_may_send_within_the_call(
    wire: Wire, proxy_and_carrier: tuple[str, str]
) -> None:
    """From any port, over TCP too, and after the rules were loaded again.

    No configuration knows a carrier that ClearIP has chosen.
    """
    proxy, carrier = proxy_and_carrier
    wire.load()
    heard = wire.hearing(proxy)
    wire.listening(proxy)
    wire.says(carrier, b"too early", to=proxy)

    heard.sendto(b"INVITE", (carrier, 5060))
    wire.load()
    wire.says(carrier, b"BYE", to=proxy)

    assert heard.recv(100) == b"BYE"
    assert wire.gets_through(carrier, to=proxy)


def test_target_that_was_called_over_tcp_may_call_back(wire: Wire) -> None:
    """When the connection is gone, the carrier opens one of its own to end the call."""
    wire.load()
    heard = wire.hearing()
    wire.listening()
    carrier = wire.open(wire.outside, lambda: tcp_socket(CARRIER, 5060))
    carrier.listen()
    assert not wire.gets_through(CARRIER)

    wire.open(wire.proxy, lambda: tcp_socket(PROXY)).connect((CARRIER, 5060))

    assert wire.gets_through(CARRIER)
    wire.says(CARRIER, b"BYE")
    assert heard.recv(100) == b"BYE"


def test_whom_other_programs_call_is_not_let_in(wire: Wire) -> None:
    """Neither over UDP from another port, as name servers are asked, nor over TCP."""
    wire.load(user_id=SOME_USER)
    wire.listening()
    wire.open(wire.outside, lambda: tcp_socket(CARRIER, 443)).listen()
    wire.open(wire.proxy, lambda: udp_socket(PROXY)).sendto(b"query", (CARRIER, 53))
    wire.open(wire.proxy, lambda: tcp_socket(PROXY)).connect((CARRIER, 443))

    assert not wire.gets_through(CARRIER)


@pytest.mark.parametrize(
    "text",
    [
        "default_route: ['sip:203.0.113.7:5070']",
        "emergency: {route: ['sip:gw@203.0.113.7']}",
        "targets: {aliases: {west: 'sip:203.0.113.7;transport=tcp'}}",
        "packet_filter: {carriers: [203.0.113.0/24]}",
    ],
    ids=["default-route", "emergency-route", "alias", "carriers"],
)
def test_configured_target_is_let_in_before_it_was_called(wire: Wire, text: str) -> None:
    """The rules may have been loaded since the call began, on another host of the group."""
    wire.load(TRUSTED + text)
    heard = wire.hearing()
    wire.listening()

    wire.says(CARRIER, b"BYE")

    assert heard.recv(100) == b"BYE"
    assert wire.gets_through(CARRIER)
    assert not wire.gets_through(STRANGER)


def test_source_that_is_trusted_no_more_is_out_at_once(wire: Wire) -> None:
    """However much it has sent before."""
    wire.load()
    heard = wire.hearing()
    wire.says(SWITCH, b"first")
    assert heard.recv(100) == b"first"
    heard.sendto(b"SIP/2.0 200 OK", (SWITCH, 5060))

    wire.load("trusted: [203.0.113.0/24]\n")
    wire.says(SWITCH, b"second")
    wire.says(CARRIER, b"third")

    assert heard.recv(100) == b"third"


def test_admin_port_is_for_this_host_and_its_networks(wire: Wire) -> None:
    """A trusted switch has no business there."""
    everywhere = Admin(Socket(ip_address("0.0.0.0"), ADMIN))  # noqa: S104
    config = parse_config(TRUSTED + "packet_filter: {admin_networks: [203.0.113.7]}\n")
    wire.load_rules(packet_filter(replace(config, admin=everywhere), LISTENERS, 0))
    wire.listening(port=ADMIN)

    assert not wire.gets_through(SWITCH, port=ADMIN)
    assert wire.gets_through(CARRIER, port=ADMIN)
    wire.open(wire.proxy, lambda: tcp_socket(PROXY)).connect((PROXY, ADMIN))


def test_what_the_host_does_besides_is_left_alone(wire: Wire) -> None:
    """Other ports and other tables, before and after loading."""
    wire.proxy.run("nft", "add table inet others { set s { type ipv4_addr; } ; }")
    before = wire.proxy.run("nft", "list", "table", "inet", "others")
    wire.listening(port=OTHER_SERVICE)

    wire.load()
    wire.load()

    assert wire.proxy.run("nft", "list", "table", "inet", "others") == before
    assert wire.gets_through(STRANGER, port=OTHER_SERVICE)


def test_rules_that_fail_to_load_change_nothing(wire: Wire) -> None:
    """All of a file is loaded, or none of it."""
    wire.load()
    before = wire.proxy.run("nft", "list", "ruleset")
    rules = packet_filter(parse_config("trusted: [198.51.100.0/24]"), LISTENERS, 0)

    wire.proxy.run("nft", "-f", "-", given=f"{rules}\nadd rule inet nowhere x y\n", check=False)

    assert wire.proxy.run("nft", "list", "ruleset") == before


@pytest.mark.parametrize(("proxy", "switch"), [IPV4, IPV6], ids=["ipv4", "ipv6"])
def test_datagram_that_was_cut_on_its_way_arrives_whole(
    wire: Wire, proxy: str, switch: str
) -> None:
    """A signed INVITE is longer than a packet; only its first piece has ports."""
    wire.load()
    heard = wire.hearing(proxy)

    wire.says(switch, b"x" * 9_000, to=proxy)

    assert len(heard.recv(10_000)) == 9_000
