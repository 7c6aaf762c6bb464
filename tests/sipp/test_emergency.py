"""Emergency calls: ClearIP is never asked, and they go to their own route."""

import pytest

from sipp.clearip import HOST, ClearIp
from sipp.conftest import ProxyWith
from sipp.role import all_succeeded, tried_in_order
from sipp.sipp import Sipp

FIRST_PORT, SECOND_PORT, DEFAULT_PORT = 9200, 9210, 9220


@pytest.mark.parametrize("dialled", ["911", "933", "112", "9-1-1", "911;phone-context=+1"])
def test_emergency_call_goes_to_its_route_without_clearip(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, dialled: str
) -> None:
    """`emergency.route` is searched in order, and ClearIP hears nothing."""
    first = sipp.play("target-final", port=FIRST_PORT)
    second = sipp.play("target-200", port=SECOND_PORT)
    default = sipp.play("nobody", port=DEFAULT_PORT)
    proxy = proxy_with(
        emergency={"route": [f"sip:{HOST}:{FIRST_PORT}", f"sip:{HOST}:{SECOND_PORT}"]},
        default_route=[f"sip:{HOST}:{DEFAULT_PORT}"],
    )

    caller = sipp.play(
        "uac-answered", to=proxy, called=f"sip:{dialled}@{proxy.place('udp').host_port}"
    )

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)
    assert second.invite.request_uri == f"sip:{dialled}@{HOST}:{SECOND_PORT}"
    assert default.is_silent
    assert not clearip.received()


def test_emergency_call_without_route_of_its_own_goes_to_the_default_route(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """An empty `emergency.route` means `default_route`."""
    target = sipp.play("target-200", port=DEFAULT_PORT)
    proxy = proxy_with(default_route=[f"sip:{HOST}:{DEFAULT_PORT}"])

    caller = sipp.play("uac-answered", to=proxy, called=f"sip:911@{HOST}")

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == f"sip:911@{HOST}:{DEFAULT_PORT}"
    assert not clearip.received()


def test_number_that_only_begins_like_an_emergency_goes_to_clearip(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """9110 is a number like any other."""
    proxy = proxy_with(
        emergency={"route": [f"sip:{HOST}:{FIRST_PORT}", f"sip:{HOST}:{SECOND_PORT}"]},
        default_route=[f"sip:{HOST}:{DEFAULT_PORT}"],
    )
    nobody = sipp.play("nobody", port=FIRST_PORT)
    clearip.says(603, "Decline")

    caller = sipp.play(
        "uac-refused", to=proxy, called=f"sip:911{sipp.number[1:]}@{HOST}:{proxy.port}"
    )

    assert all_succeeded(caller)
    assert nobody.is_silent
    assert clearip.was_asked_once()
