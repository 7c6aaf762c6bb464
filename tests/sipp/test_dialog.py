"""Inside the dialog: every request passes both ways along Record-Route, and past ClearIP."""

import pytest

from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.raw_request import RawCaller, ask, request
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp

TRANSPORTS = pytest.mark.parametrize(
    ("caller_transport", "target_transport"),
    [
        ("udp", "udp"),
        ("udp", "tcp"),
        ("udp", "tls"),
        ("tcp", "udp"),
        ("tls", "udp"),
        ("tls", "tcp"),
        ("tcp", "tls"),
    ],
)
UNTRUSTED = "127.128.0.1"
"""An address that the tests' proxies do not trust."""
METHODS = ["INFO", "UPDATE", "MESSAGE", "OPTIONS"]


def methods_received(role: Role) -> list[str]:
    """The methods of the requests that a role received, in order, repetitions aside."""
    return list(dict.fromkeys(m.method for m in role.received() if m.is_request))


@TRANSPORTS
def test_caller_hangs_up(
    proxy: Proxy,
    clearip: ClearIp,
    sipp: Sipp,
    caller_transport: Transport,
    target_transport: Transport,
) -> None:
    """ACK and BYE find the target over its transport, and the 200s find the caller over its."""
    target = sipp.play("target-hung-up-on", transport=target_transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-hangs-up", to=proxy, transport=caller_transport)

    assert all_succeeded(caller, target)
    assert methods_received(target) == ["INVITE", "ACK", "BYE"]
    assert clearip.was_asked_once()


@TRANSPORTS
def test_target_hangs_up(
    proxy: Proxy,
    clearip: ClearIp,
    sipp: Sipp,
    caller_transport: Transport,
    target_transport: Transport,
) -> None:
    """The target's BYE finds the caller, over the connection that the caller opened."""
    target = sipp.play("target-200", transport=target_transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy, transport=caller_transport)

    assert all_succeeded(caller, target)
    assert methods_received(caller) == ["BYE"]
    assert clearip.was_asked_once()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_caller_sends_requests_in_the_dialog(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """INFO, UPDATE, MESSAGE and OPTIONS of the caller are the target's to answer."""
    target = sipp.play("target-receives", transport=transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-sends", to=proxy)

    target.wait_for("ACK")
    caller.cue()
    assert all_succeeded(caller, target)
    assert methods_received(target) == ["INVITE", "ACK", *METHODS, "BYE"]
    assert clearip.was_asked_once()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_target_sends_requests_in_the_dialog(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """INFO, UPDATE, MESSAGE and OPTIONS of the target are the caller's to answer."""
    target = sipp.play("target-sends", transport=transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-receives", to=proxy)

    assert all_succeeded(caller, target)
    assert methods_received(caller) == [*METHODS, "BYE"]
    assert clearip.was_asked_once()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_caller_offers_another_session(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """A re-INVITE goes to the target, not to ClearIP, and so does its ACK."""
    target = sipp.play("target-reinvited", transport=transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-reinvites", to=proxy)

    target.wait_for("ACK")
    caller.cue()
    assert all_succeeded(caller, target)
    assert [m.header("cseq") for m in target.received("ACK")] == ["1 ACK", "2 ACK"]
    assert clearip.was_asked_once()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_target_offers_another_session(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """A re-INVITE of the target's goes to the caller, not to ClearIP, and so does its ACK."""
    target = sipp.play("target-reinvites", transport=transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-reinvited", to=proxy)

    assert all_succeeded(caller, target)
    assert methods_received(caller) == ["INVITE", "ACK"]
    assert clearip.was_asked_once()


def test_reliable_ringing_is_acknowledged(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """PRACK (RFC 3262) finds the target in the early dialog."""
    target = sipp.play("target-rings-reliably")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-pracks", to=proxy, headers="\r\nSupported: 100rel")

    caller.wait_for(200)
    target.cue()
    assert all_succeeded(caller, target)
    assert methods_received(target) == ["INVITE", "PRACK", "ACK"]
    assert target.received("PRACK")[0].headers("rack") == ["1 1 INVITE"]
    assert clearip.was_asked_once()


def test_target_that_is_not_trusted_hangs_up(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Whom ClearIP sends a call to may speak in its dialog, trusted or not."""
    target = sipp.play("target-200", host=UNTRUSTED)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert clearip.was_asked_once()


@pytest.mark.parametrize(
    ("caller_role", "target_role"),
    [
        ("uac-hangs-up-on-cue", "target-hung-up-on"),
        ("uac-answered", "target-hangs-up-on-cue"),
    ],
)
def test_dialog_outlives_the_proxy(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, caller_role: str, target_role: str
) -> None:
    """After a restart of the proxy, either side can still hang up."""
    proxy = proxy_with(clearip={"keepalive_s": 3600})  # its own: others are in use
    target = sipp.play(target_role)
    clearip.redirects_to(target.at())
    caller = sipp.play(caller_role, to=proxy)
    target.wait_for("ACK")

    proxy.restart()
    next(role for role in (caller, target) if role.name.endswith("-on-cue")).cue()

    assert all_succeeded(caller, target)
    assert clearip.was_asked_once()


def test_dialog_with_the_second_target_is_the_callers_only_one(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """After a failed attempt the route set leads to the target that answered."""
    first = sipp.play("target-final", transport="tcp")
    second = sipp.play("target-receives")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-sends", to=proxy)

    second.wait_for("ACK")
    caller.cue()
    assert all_succeeded(caller, first, second)
    assert methods_received(first) == ["INVITE", "ACK"]
    assert methods_received(second) == ["INVITE", "ACK", *METHODS, "BYE"]
    assert clearip.was_asked_once()


def test_record_route_is_single_within_one_transport(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """One entry is enough where nothing changes between the sides."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert len(target.invite.headers("record-route")) == 1


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_record_route_is_double_where_the_transport_changes(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """One entry for each side (RFC 5658 §5): the target's first, with its transport."""
    target = sipp.play("target-200", transport=transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    towards_target, towards_caller = target.invite.headers("record-route")
    assert f"transport={transport}" in towards_target
    assert "transport" not in towards_caller


@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "INVITE"])
def test_request_of_an_unknown_dialog_is_a_481(
    proxy: Proxy, clearip: ClearIp, number: str, method: str
) -> None:
    """A To tag without a route set leads nowhere, and not to ClearIP either."""
    place = proxy.place("udp")
    text = request(method, number, place, to=f"<sip:{number}@{place.host}>;tag=unknown")

    response = ask(place, text)

    assert response.status == 481
    assert not clearip.received()


def test_ack_of_an_unknown_dialog_is_not_answered(
    proxy: Proxy, clearip: ClearIp, number: str
) -> None:
    """Nobody answers an ACK (RFC 3261 §17): the next request's answer is the first to be heard."""
    place = proxy.place("udp")
    with RawCaller(place) as caller:
        caller.send(request("ACK", number, place, to=f"<sip:{number}@{place.host}>;tag=unknown"))
        caller.send(request("OPTIONS", number, place))

        assert caller.hear().header("cseq") == "1 OPTIONS"
        assert caller.has_heard_nothing()
    assert not clearip.received()
