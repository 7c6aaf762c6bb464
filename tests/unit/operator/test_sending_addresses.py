"""Which address the kernel sends from."""

from ipaddress import ip_address, ip_interface

import pytest

from inline_proxy.listeners import Address, Listener
from inline_proxy.sending_addresses import address_towards, interfaces, kernel_passes_over

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
