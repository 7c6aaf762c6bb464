"""Which of a host's addresses the proxy sends from."""

import pytest

from sipp.clearip import HOST, ClearIp
from sipp.conftest import ProxyWith
from sipp.place import Transport
from sipp.role import all_succeeded
from sipp.sipp import Sipp

VIRTUAL_ADDRESS = "127.0.0.9"
"""An address of the host that the kernel does not choose by itself."""
ANOTHER_VIRTUAL_ADDRESS = "127.0.0.10"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_call_leaves_from_the_only_address_that_is_listened_on(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """A proxy on a virtual address shows targets that one, and answers come back to it."""
    proxy = proxy_with(listen={"addresses": [VIRTUAL_ADDRESS]})
    target = sipp.play("target-200", transport=transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy.at(VIRTUAL_ADDRESS))

    assert all_succeeded(caller, target)
    assert VIRTUAL_ADDRESS in target.invite.header("via")
    assert VIRTUAL_ADDRESS in target.invite.header("record-route")


def test_call_leaves_from_the_address_that_leads_to_the_target(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """With several addresses, each side sees the one that it can reach."""
    proxy = proxy_with(listen={"addresses": [VIRTUAL_ADDRESS, HOST]})
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy.at(VIRTUAL_ADDRESS))

    assert all_succeeded(caller, target)
    towards_target, towards_caller = target.invite.headers("record-route")
    assert f"sip:{HOST}:" in towards_target
    assert f"sip:{VIRTUAL_ADDRESS}:" in towards_caller


def test_call_leaves_from_a_virtual_address_where_the_kernel_prefers_another(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """Two virtual addresses, and not the host's own: the first of them is sent from."""
    proxy = proxy_with(listen={"addresses": [VIRTUAL_ADDRESS, ANOTHER_VIRTUAL_ADDRESS]})
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy.at(ANOTHER_VIRTUAL_ADDRESS))

    assert all_succeeded(caller, target)
    assert VIRTUAL_ADDRESS in target.invite.header("via")
