"""Attempts at making the proxy relay to where no dialog, answer or configuration points.

`nobody` is the third party that each of them is after.
"""

import pytest

from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.dialog_scene import dialog_of
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.raw_request import RawCaller, request
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.waiting import wait_until

TRUSTED, UNTRUSTED = "127.0.0.1", "127.128.0.1"
FORGED = "0123456789abcdef0123"


def assert_refused(proxy: Proxy, host: str, text: str) -> None:
    """A trusted sender hears 481, a stranger nothing at all."""
    with RawCaller(proxy.place("udp"), host) as caller:
        if host == TRUSTED:
            caller.send(text)
            assert caller.hear_final().status == 481
        else:
            with proxy.turning_away():
                caller.send(text)
            assert caller.has_heard_nothing()


@pytest.mark.parametrize("host", [TRUSTED, UNTRUSTED])
@pytest.mark.parametrize("token", ["", f";dialog={FORGED}", ";dialog=", f";dialog={FORGED}.ab"])
@pytest.mark.parametrize("method", ["BYE", "INVITE", "REFER"])
def test_forged_route_and_to_tag_lead_nowhere(  # noqa: PLR0913 - the cast, and three kinds
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, *, method: str, token: str, host: str
) -> None:
    """A To tag and a Route of the sender's own making make no dialog."""
    place, nobody = proxy.place("udp"), sipp.play("nobody")
    text = request(
        method,
        sipp.number,
        place,
        f"Route: <sip:{place.host_port};lr=on{token}>",
        uri=nobody.uri,
        to=f"<{nobody.uri}>;tag=forged",
    )
    assert_refused(proxy, host, text)

    assert nobody.is_silent
    assert not clearip.received()


@pytest.mark.parametrize("host", [TRUSTED, UNTRUSTED])
@pytest.mark.parametrize("route", ["<{third};lr>", "<sip:{proxy};lr=on>, <{third};lr>"])
def test_route_to_a_third_party_leads_nowhere(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, route: str, host: str
) -> None:
    """Inside what pretends to be a dialog."""
    place, nobody = proxy.place("udp"), sipp.play("nobody")
    text = request(
        "BYE",
        sipp.number,
        place,
        f"Route: {route.format(third=nobody.uri, proxy=place.host_port)}",
        to=f"<{nobody.uri}>;tag=forged",
    )
    assert_refused(proxy, host, text)

    assert nobody.is_silent
    assert not clearip.received()


def is_told_of(proxy: Proxy, number: str, caller: RawCaller, ack: str) -> bool:
    """Send an ACK, and say whether the log has told of one.

    Of many such lines in a second only some are written, and those may be another test's.
    """
    caller.send(ack)
    return any("ACK of an unknown dialog" in line for line in proxy.log_of(number))


@pytest.mark.parametrize("host", [TRUSTED, UNTRUSTED])
def test_forged_ack_leads_nowhere(proxy: Proxy, clearip: ClearIp, sipp: Sipp, host: str) -> None:
    """It is never answered, so it would be the quietest way through."""
    place, nobody = proxy.place("udp"), sipp.play("nobody")
    route = f"Route: <sip:{place.host_port};lr=on>"
    to = f"<{nobody.uri}>;tag=forged"
    with RawCaller(place, host) as caller:
        text = request("ACK", sipp.number, place, route, uri=nobody.uri, to=to)
        if host == TRUSTED:
            wait_until(
                lambda: is_told_of(proxy, sipp.number, caller, text), "the log tells of the ACK"
            )
        else:
            with proxy.turning_away():
                caller.send(text)
        assert caller.has_heard_nothing()

    assert nobody.is_silent
    assert not clearip.received()


@pytest.mark.parametrize("route", ["<{third};lr>", "<sip:{proxy};lr>, <{third};lr>"])
def test_preloaded_route_does_not_steer_a_call(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, route: str
) -> None:
    """A call goes where ClearIP says, and no Route goes along with it."""
    place, nobody, target = proxy.place("udp"), sipp.play("nobody"), sipp.play("target-200")
    clearip.redirects_to(target.at())
    preloaded = route.format(third=nobody.uri, proxy=place.host_port)

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nRoute: {preloaded}")

    assert all_succeeded(caller, target)
    assert nobody.is_silent
    assert not target.invite.headers("route")
    assert not clearip.invite.headers("route")


@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "MESSAGE", "INVITE"])
def test_request_uri_of_a_third_party_leads_nowhere(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, method: str
) -> None:
    """Of the Request-URI only the user counts, and that is asked about at ClearIP."""
    clearip.says(603, "Decline")
    place, nobody = proxy.place("udp"), sipp.play("nobody")

    with RawCaller(place) as caller:
        caller.send(request(method, sipp.number, place, uri=nobody.uri))
        assert caller.hear_final().status == {"OPTIONS": 200, "INVITE": 603}.get(method, 405)

    assert nobody.is_silent


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_token_is_on_every_record_route_of_the_proxy(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """On both entries where there are two: the sides see them in opposite order."""
    target = sipp.play("target-200", transport=transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    recorded = target.invite.headers("record-route")
    assert len(recorded) == (1 if transport == "udp" else 2)
    assert len({value.partition(";dialog=")[2] for value in recorded}) == 1
    assert all(";dialog=" in value for value in recorded)


@pytest.mark.parametrize("host", [TRUSTED, UNTRUSTED])
def test_token_proves_no_other_dialog(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, host: str
) -> None:
    """Replayed under another Call-ID, or by somebody with other tags, it is worth nothing."""
    place, nobody, target = proxy.place("udp"), sipp.play("nobody"), sipp.play("target-hung-up-on")
    clearip.redirects_to(target.at())
    phone = sipp.play("uac-hangs-up-on-cue", to=proxy)
    dialog = dialog_of(phone)
    target.wait_for("ACK")

    for change in ({"call_id": f"{sipp.number}-other"}, {"from": "<sip:a@b.example>;tag=other"}):
        text = dialog.request("BYE", sipp.number, place, nobody.uri, **change)
        assert_refused(proxy, host, text)

    phone.cue()
    assert all_succeeded(phone, target)
    assert nobody.is_silent


def test_spoofed_record_route_gives_no_way_in(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """An entry that a caller has written in the proxy's name is not the proxy's."""
    place, nobody, target = proxy.place("udp"), sipp.play("nobody"), sipp.play("target-200")
    clearip.redirects_to(target.at())
    spoofed = f"<sip:{place.host_port};lr=on;dialog={FORGED}>"

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nRecord-Route: {spoofed}")
    target.wait_for("INVITE")
    own, *others = target.invite.headers("record-route")

    assert others == [spoofed]
    assert FORGED not in own
    to, call_id = f"<{nobody.uri}>;tag=x", caller.sent()[0].header("call-id")
    route = f"Route: {spoofed}"
    text = request("BYE", sipp.number, place, route, uri=nobody.uri, to=to, call_id=call_id)
    assert_refused(proxy, UNTRUSTED, text)
    assert nobody.is_silent


def test_dialog_that_an_older_key_signed_goes_on(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """A new key goes before the old one; calls that are up are not cut by it."""
    proxy = proxy_with(clearip={"keepalive_s": 3599})  # its own: it is restarted
    target = sipp.play("target-hung-up-on")
    clearip.redirects_to(target.at())
    phone = sipp.play("uac-hangs-up-on-cue", to=proxy)
    target.wait_for("ACK")

    proxy.dialog_keys.write_text("ab" * 32 + "\n" + proxy.dialog_keys.read_text())
    proxy.restart()
    phone.cue()

    assert all_succeeded(phone, target)


def test_dialog_whose_key_was_removed_has_ended(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """What is signed with a key that is not listed any more is as good as forged."""
    proxy = proxy_with(clearip={"keepalive_s": 3598})  # its own: it is restarted
    target, place = sipp.play("target-hung-up-on"), proxy.place("udp")
    clearip.redirects_to(target.at())
    dialog = dialog_of(sipp.play("uac-hangs-up-on-cue", to=proxy))
    target.wait_for("ACK")

    proxy.dialog_keys.write_text("cd" * 32 + "\n")
    proxy.restart()
    with RawCaller(place) as caller:
        caller.send(dialog.request("BYE", sipp.number, place, target.uri))
        assert caller.hear_final().status == 481

    assert not target.received("BYE")


def test_node_with_the_same_key_knows_the_dialog(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A group of proxies behind one name: any of them takes a request of any dialog."""
    file = tmp_path_factory.mktemp("group") / "keys"
    file.write_text("ef" * 32)
    one, other = (
        proxy_with(dialog={"key_file": str(file)}, clearip={"keepalive_s": keepalive_s})
        for keepalive_s in (30, 31)
    )
    target = sipp.play("target-hung-up-on")
    clearip.redirects_to(target.at())
    dialog = dialog_of(sipp.play("uac-hangs-up-on-cue", to=one))
    target.wait_for("ACK")
    place = other.place("udp")
    route = dialog.routes[0].replace(one.place("udp").host_port, place.host_port)

    with RawCaller(place) as caller:
        caller.send(dialog.request("BYE", sipp.number, place, target.uri, route=route))

        assert all_succeeded(target)  # SIPp answers to where the INVITE came from
