"""Which sockets the proxy opens, for a configuration and a host."""

from ipaddress import ip_address

import ifaddr
import pytest

from inline_proxy.config import parse_config
from inline_proxy.listeners import (
    Address,
    Interfaces,
    Listener,
    NoSuchListener,
    has_a_choice_of_addresses,
    in_uri,
    interface_addresses,
    listeners,
)


def addresses(*texts: str) -> tuple[Address, ...]:
    """Addresses from their texts."""
    return tuple(map(ip_address, texts))


HOST = {
    "lo": addresses("127.0.0.1", "::1"),
    "eth0": addresses("192.0.2.1", "2001:db8::1"),
    "eth1": addresses("198.51.100.1"),
    "idle": (),
}


def opened(listen: str, host: Interfaces = HOST) -> list[str]:
    """The sockets of a configuration, in Kamailio's notation."""
    return [each.socket for each in listeners(parse_config(f"listen: {listen}").listen, host)]


def advertised(advertise: str) -> dict[str, str | None]:
    """What each UDP socket advertises."""
    listen = parse_config(f"listen: {{advertise: '{advertise}'}}").listen
    opened = listeners(listen, HOST)
    return {each.host_port: each.advertised for each in opened if each.transport == "udp"}


def test_all_opens_every_address_of_the_host_with_every_transport() -> None:
    """By transport first: what belongs together stands together."""
    small = {"lo": addresses("127.0.0.1"), "eth0": addresses("2001:db8::1")}

    assert opened("{}", small) == [
        "udp:127.0.0.1:5060",
        "udp:[2001:db8::1]:5060",
        "tcp:127.0.0.1:5060",
        "tcp:[2001:db8::1]:5060",
        "tls:127.0.0.1:5061",
        "tls:[2001:db8::1]:5061",
    ]


def test_transport_without_port_is_left_out() -> None:
    """`null` means off."""
    assert opened("{addresses: [192.0.2.1], udp: null, tcp: null, tls: 5081}") == [
        "tls:192.0.2.1:5081"
    ]


def outgoing_tls(listen: str) -> list[tuple[str, str | None]]:
    """The TLS sockets of a configuration, and what they show in Via."""
    opened = listeners(parse_config(f"listen: {listen}").listen, HOST)
    return [(each.host_port, each.advertised) for each in opened if each.transport == "tls"]


@pytest.mark.parametrize(
    ("listen", "sockets"),
    [
        ("{}", [("127.0.0.1:25060", "192.0.2.1"), ("[::1]:25060", "[2001:db8::1]")]),
        ("{addresses: [192.0.2.1], udp: null, tcp: 5080}", [("127.0.0.1:25080", "192.0.2.1")]),
        ("{addresses: ['2001:db8::1'], udp: 65000}", [("[::1]:45000", "[2001:db8::1]")]),
        ("{addresses: [lo]}", [("127.0.0.1:25060", None), ("[::1]:25060", None)]),
        (
            "{advertise: 203.0.113.7}",
            [("127.0.0.1:25060", "203.0.113.7"), ("[::1]:25060", "[2001:db8::1]")],
        ),
    ],
)
def test_tls_that_is_off_leaves_a_socket_on_loopback_for_what_goes_to_clearip(
    listen: str, sockets: list[tuple[str, str | None]]
) -> None:
    """One per family; nobody outside reaches it, and Via shows where the proxy really is."""
    assert outgoing_tls(listen.replace("{", "{tls: null, ").replace(", }", "}")) == sockets


def test_addresses_and_interfaces_are_taken_in_the_order_given() -> None:
    """An interface stands for all its addresses; an address that comes twice is opened once."""
    assert opened("{addresses: [eth1, 2001:db8::1, eth0], tcp: null, udp: null}") == [
        "tls:198.51.100.1:5061",
        "tls:[2001:db8::1]:5061",
        "tls:192.0.2.1:5061",
    ]


@pytest.mark.parametrize("name", ["eth7", "idle"])
def test_interface_without_address_is_refused_with_those_that_have_one(name: str) -> None:
    """Whether it does not exist or is down: the operator sees what would work."""
    with pytest.raises(NoSuchListener) as refused:
        opened(f"{{addresses: [{name}]}}")

    assert str(refused.value) == (
        f"listen.addresses: no interface {name} with an address; "
        "allowed: all, eth0, eth1, lo, or an IP address of this host"
    )


def test_host_without_any_address_is_refused() -> None:
    """Without a listener Kamailio would choose its own."""
    with pytest.raises(NoSuchListener, match="this host has no address; bring an interface up"):
        opened("{}", {"lo": ()})


def test_advertised_name_is_shown_on_every_socket_but_loopback() -> None:
    """What never leaves the host needs no other name."""
    assert advertised("sip.example.net") == {
        "127.0.0.1:5060": None,
        "[::1]:5060": None,
        "192.0.2.1:5060": "sip.example.net",
        "[2001:db8::1]:5060": "sip.example.net",
        "198.51.100.1:5060": "sip.example.net",
    }


@pytest.mark.parametrize(
    ("advertise", "ipv4", "ipv6"),
    [("203.0.113.7", "203.0.113.7", None), ("2001:db8::7", None, "[2001:db8::7]")],
)
def test_advertised_address_is_shown_on_the_sockets_of_its_family(
    advertise: str, ipv4: str | None, ipv6: str | None
) -> None:
    """An IPv4 peer cannot come back to an IPv6 address."""
    shown = advertised(advertise)

    assert (shown["192.0.2.1:5060"], shown["[2001:db8::1]:5060"]) == (ipv4, ipv6)


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ("[eth1]", {"198.51.100.1:5060"}),
        ("['192.0.2.1', '198.51.100.1']", {"192.0.2.1:5060", "198.51.100.1:5060"}),
        ("[eth7]", set()),
    ],
)
def test_name_is_advertised_where_it_is_told_to(chosen: str, shown: set[str]) -> None:
    """The other networks are not behind NAT; an interface that is away is no fault."""
    text = f"{{udp: 5060, tcp: null, tls: null, advertise: a.example, advertise_on: {chosen}}}"

    found = listeners(parse_config(f"listen: {text}").listen, HOST)
    advertising = {each.host_port for each in found if each.advertised and each.transport == "udp"}

    assert advertising == shown


def test_ipv6_stands_in_brackets_in_a_uri() -> None:
    """RFC 3261 §25.1, IPv6reference; names and IPv4 addresses stand as they are."""
    assert [in_uri("::1"), in_uri("127.0.0.1"), in_uri("a.example")] == [
        "[::1]",
        "127.0.0.1",
        "a.example",
    ]


def test_interface_addresses_leave_link_local_ipv6_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """They need a zone, which no Via can carry; link-local IPv4 needs none."""
    adapters = [
        ifaddr.Adapter(
            "eth0",
            "eth0",
            [
                ifaddr.IP("192.0.2.1", 24, "eth0"),
                ifaddr.IP("169.254.1.1", 16, "eth0"),
                ifaddr.IP(("2001:db8::1", 0, 0), 64, "eth0"),
                ifaddr.IP(("fe80::1", 0, 2), 64, "eth0"),
            ],
        )
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)

    assert interface_addresses() == {"eth0": addresses("192.0.2.1", "169.254.1.1", "2001:db8::1")}


def test_this_host_has_a_loopback_address() -> None:
    """Asked of the kernel."""
    assert ip_address("127.0.0.1") in interface_addresses()["lo"]


def test_socket_for_outgoing_tls_is_told_apart() -> None:
    """Nobody waits until it answers."""
    opened = listeners(parse_config("listen: {tls: null}").listen, HOST)

    assert {each.transport for each in opened if each.is_for_outgoing} == {"tls"}
    assert {each.transport for each in opened if not each.is_for_outgoing} == {"udp", "tcp"}


@pytest.mark.parametrize(
    ("listen", "has_a_choice"),
    [
        ("{addresses: [192.0.2.1]}", False),
        ("{addresses: [192.0.2.1], tls: null}", False),
        ("{addresses: [192.0.2.1, '2001:db8::1']}", False),
        ("{addresses: [192.0.2.1, 192.0.2.2]}", True),
        ("{addresses: ['2001:db8::1', '2001:db8::2', 192.0.2.1]}", True),
    ],
)
def test_choice_of_addresses_is_one_within_a_family(listen: str, *, has_a_choice: bool) -> None:
    """An IPv4 and an IPv6 address leave nothing to choose."""
    opened = listeners(parse_config(f"listen: {listen}").listen, HOST)

    assert has_a_choice_of_addresses(opened) is has_a_choice


def test_listener_without_advertise_shows_its_address() -> None:
    """Nothing stands in its stead."""
    assert Listener("udp", ip_address("192.0.2.1"), 5060).advertised is None
