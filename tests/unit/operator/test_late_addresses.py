"""Addresses of `listen` that come after the service has been started."""

from ipaddress import ip_address

import pytest

from inline_proxy.config.listen import Listen
from inline_proxy.late_addresses import missing, wait_for_addresses
from inline_proxy.listeners import Address, Interfaces

THERE, LATE = ip_address("192.0.2.1"), ip_address("10.8.0.1")
BEFORE: Interfaces = {"eth0": (THERE,)}
AFTER: Interfaces = {"eth0": (THERE,), "wg0": (LATE,)}


def test_host_that_has_its_addresses_is_not_waited_for() -> None:
    """Not a word is said."""
    said: list[str] = []

    wait_for_addresses(Listen(addresses=(THERE,)), said.append, look=lambda: BEFORE)

    assert said == []


@pytest.mark.parametrize("wanted", [LATE, "wg0"])
def test_late_address_or_interface_is_waited_for(wanted: Address | str) -> None:
    """It is said once what is missing, and the wait is no longer than needed."""
    said: list[str] = []
    looks = iter((BEFORE, BEFORE, AFTER))

    wait_for_addresses(Listen(addresses=(THERE, wanted)), said.append, look=lambda: next(looks))

    assert len(said) == 1
    assert said[0].startswith("waiting for an address: listen.addresses: ")
    assert str(wanted) in said[0]
    assert next(looks, None) is None


def test_address_that_does_not_come_is_waited_for_in_vain() -> None:
    """What starts then says in full what is wrong."""
    said: list[str] = []

    wait_for_addresses(Listen(addresses=(LATE,)), said.append, patience_s=0.3, look=lambda: BEFORE)

    assert said == [
        "waiting for an address: listen.addresses: 10.8.0.1 is not an address of this host"
    ]


def test_floating_address_is_not_waited_for() -> None:
    """It may be on the other host for years."""
    assert missing(Listen(addresses=(LATE,), floating=True), BEFORE) is None
