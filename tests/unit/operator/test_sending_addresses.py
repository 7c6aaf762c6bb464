"""Which address the kernel sends from."""

from ipaddress import ip_address, ip_interface

import pytest

from inline_proxy.listeners import Address, Listener, Transport
from inline_proxy.sending_addresses import (
    address_towards,
    interfaces,
    kernel_passes_over,
    sending_values,
)

OWN = tuple(map(ip_interface, ("192.0.2.1/24", "192.0.2.5/32", "10.9.0.1/24", "2001:db8::1/64")))
PREFERRED = {
    "192.0.2.254": "192.0.2.1",
    "10.9.0.254": "10.9.0.1",
    "2001:db8::ffff:ffff:ffff:fffe": "2001:db8::1",
}


def preferred(destination: Address) -> Address | None:
    """What the kernel would say; it has no way to any other destination."""
    address = PREFERRED.get(str(destination))
    return None if address is None else ip_address(address)


@pytest.mark.parametrize(
    ("addresses", "passes_over"),
    [
        (("192.0.2.1", "10.9.0.1"), False),
        (("192.0.2.1", "192.0.2.5"), False),
        (("192.0.2.5", "10.9.0.1"), True),
        (("2001:db8::1", "2001:db8::9"), False),
        (("2001:db8::8", "2001:db8::9"), True),
        (("198.51.100.1", "198.51.100.2"), False),
    ],
)
def test_networks_that_are_listened_in_count(
    addresses: tuple[str, ...], *, passes_over: bool
) -> None:
    """What the kernel does in another one is nothing to the proxy."""
    opened = [Listener("udp", ip_address(address), 5060) for address in addresses]

    assert kernel_passes_over(opened, OWN, preferred) is passes_over


def test_socket_for_outgoing_tls_counts_for_nothing() -> None:
    """Nobody is reached from it."""
    outgoing = Listener("tls", ip_address("192.0.2.5"), 25060, is_for_outgoing=True)

    assert not kernel_passes_over([outgoing], OWN, preferred)


def test_kernel_says_what_it_sends_from() -> None:
    """Loopback is everywhere."""
    assert ip_interface("127.0.0.1/8") in interfaces()
    assert address_towards(ip_address("127.255.255.254")) == ip_address("127.0.0.1")


def test_destination_that_cannot_be_sent_to_has_no_address() -> None:
    """No error: nothing is sent there anyway. The kernel refuses a broadcast."""
    assert address_towards(ip_address("255.255.255.255")) is None


def test_each_address_is_sent_from_by_the_listener_of_its_network() -> None:
    """Its own, or a virtual one beside it; an address that comes later stands for itself."""
    ports: dict[Transport, int] = {"tcp": 5060, "tls": 5061}
    opened = [
        Listener(transport, ip_address(address), port)
        for transport, port in ports.items()
        for address in ("192.0.2.5", "10.9.0.1", "2001:db8::9", "198.51.100.1")
    ]

    assert sending_values(opened, OWN, kernel_passes_over=True) == {
        "addresses": {
            "192.0.2.5": "192.0.2.5",
            "10.9.0.1": "10.9.0.1",
            "2001:db8::9": "[2001:db8::9]",
            "198.51.100.1": "198.51.100.1",
            "192.0.2.1": "192.0.2.5",
            "2001:db8::1": "[2001:db8::9]",
        },
        "ports": {"tcp": 5060, "tls": 5061},
        "names_udp": True,
    }


def test_host_with_one_address_in_each_family_has_no_choice() -> None:
    """Loopback is no way to anybody else."""
    opened = [
        Listener("udp", ip_address(address), 5060)
        for address in ("127.0.0.1", "192.0.2.1", "::1", "2001:db8::1")
    ]

    chosen = sending_values(opened, OWN, kernel_passes_over=False)

    assert chosen == {"addresses": {}, "ports": {}, "names_udp": False}
