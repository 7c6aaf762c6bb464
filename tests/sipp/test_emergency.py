"""Emergency calls: ClearIP is never asked, and they go to their own route."""

import pytest

from inline_proxy.lab.message import Message, decode, encode
from sipp.clearip import HOST, SILENCE, VACANT_SITE_PORT, ClearIp
from sipp.conftest import ProxyWith
from sipp.hosts import udp_socket
from sipp.raw_request import LARGEST, PATIENCE_S, RawCaller, request
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


@pytest.mark.parametrize("dialled", ["+1911", "9911", "1-911", "+1933;phone-context=x"])
def test_emergency_number_behind_a_configured_prefix_is_an_emergency(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, dialled: str
) -> None:
    """What a switch puts before the number goes along to the letter."""
    target = sipp.play("target-200", port=FIRST_PORT)
    proxy = proxy_with(
        emergency={"route": [f"sip:{HOST}:{FIRST_PORT}"], "prefixes": ["+1", "9", "1"]}
    )

    caller = sipp.play(
        "uac-answered", to=proxy, called=f"sip:{dialled}@{proxy.place('udp').host_port}"
    )

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == f"sip:{dialled}@{HOST}:{FIRST_PORT}"
    assert not clearip.received()


@pytest.mark.parametrize("service", ["urn:service:sos", "urn:service:sos.police"])
def test_emergency_service_is_called_by_the_first_emergency_number(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, service: str
) -> None:
    """A phone's emergency button (RFC 5031); To still says what was wanted."""
    first = sipp.play("target-final", port=FIRST_PORT)
    second = sipp.play("target-200", port=SECOND_PORT)
    proxy = proxy_with(
        emergency={"route": [f"sip:{HOST}:{FIRST_PORT}", f"sip:psap@{HOST}:{SECOND_PORT}"]}
    )

    caller = sipp.play("uac-answered", to=proxy, called=service, callee=f"<{service}>")

    assert all_succeeded(caller, first, second)
    assert first.invite.request_uri == f"sip:911@{HOST}:{FIRST_PORT}"
    assert second.invite.request_uri == f"sip:psap@{HOST}:{SECOND_PORT}"
    assert second.invite.header("to") == f"<{service}>"
    assert not clearip.received()


@pytest.mark.parametrize("called", ["sip:911@{host}", "sip:+1911@{host}", "urn:service:sos"])
def test_emergency_call_does_not_need_clearip(
    proxy_with: ProxyWith, sipp: Sipp, called: str
) -> None:
    """Nobody listens where ClearIP should be, and nobody waits for it."""
    proxy = proxy_with(
        clearip={"sites": [{"host": HOST, "port": VACANT_SITE_PORT}]},
        emergency={"route": [f"sip:{HOST}:{FIRST_PORT}"], "prefixes": ["+1"]},
    )
    target = sipp.play("target-200", port=FIRST_PORT)

    caller = sipp.play("uac-answered", to=proxy, called=called.format(host=HOST))

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 200]


def test_emergency_call_does_not_wait_for_a_silent_clearip(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """It is answered while another call still waits for ClearIP."""
    clearip.answers(SILENCE)
    proxy = proxy_with(
        clearip={"response_timeout_ms": 8000}, emergency={"route": [f"sip:{HOST}:{FIRST_PORT}"]}
    )
    target = sipp.play("target-200", port=FIRST_PORT)
    waiting = sipp.play("uac-unheard", to=proxy)
    clearip.wait_for("INVITE")

    caller = sipp.play("uac-answered", to=proxy, called=f"sip:911@{HOST}:{proxy.port}")

    assert all_succeeded(caller, target)
    assert waiting.statuses == [100]
    assert clearip.methods == ["INVITE"]


def test_test_call_to_the_emergency_service_reaches_nobody(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """`urn:service:test.sos` is a service that the proxy does not know."""
    proxy = proxy_with(emergency={"route": [f"sip:{HOST}:{FIRST_PORT}"], "prefixes": ["+1"]})
    nobody = sipp.play("nobody", port=FIRST_PORT)

    caller = sipp.play("uac-refused", to=proxy, called="urn:service:test.sos")

    assert all_succeeded(caller)
    assert caller.final.status == 416
    assert nobody.is_silent
    assert not clearip.received()


def test_emergency_call_without_from_tag_goes_there_and_its_requests_too(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """ACK and BYE find the dialog, whose caller has an empty tag (RFC 3261 §12.1.1)."""
    proxy = proxy_with(default_route=[f"sip:{HOST}:{DEFAULT_PORT}"])
    place = proxy.place("udp")
    caller_is = {"uri": f"sip:911@{HOST}", "from": f"<sip:old@{HOST}>"}

    with udp_socket(HOST, DEFAULT_PORT) as target, RawCaller(place) as caller:
        target.settimeout(PATIENCE_S)
        caller.send(request("INVITE", sipp.number, place, **caller_is))
        octets, proxy_address = target.recvfrom(LARGEST)
        target.sendto(encode(answered(Message.parse(decode(octets)))), proxy_address)
        answer = caller.hear_final()
        assert answer.status == 200
        dialog = {**caller_is, "to": answer.header("to"), "uri": f"sip:x@{HOST}:{DEFAULT_PORT}"}
        routes = ", ".join(reversed(answer.headers("record-route")))
        for number, method in enumerate(("ACK", "BYE")):
            branch = f"{sipp.number}{number}"
            text = request(method, sipp.number, place, f"Route: {routes}", **dialog)
            caller.send(text.replace(f"branch=z9hG4bK{sipp.number}", f"branch=z9hG4bK{branch}"))
            assert Message.parse(decode(target.recv(LARGEST))).method == method

    assert not clearip.received()


def answered(invite: Message) -> str:
    """The 200 of somebody who takes a call."""
    copied = [
        f"{name}: {value}"
        for name in ("via", "record-route", "from", "call-id", "cseq")
        for value in invite.headers(name)
    ]
    to = f"to: {invite.header('to')};tag=psap"
    return "\r\n".join(("SIP/2.0 200 OK", *copied, to, "Content-Length: 0", "", ""))
