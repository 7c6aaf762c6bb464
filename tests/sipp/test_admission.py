"""What the proxy answers itself, and whom it does not answer at all."""

import pytest

from sipp.clearip import SILENCE, ClearIp
from sipp.proxy import Proxy
from sipp.raw_request import RawCaller, ask, request
from sipp.role import all_succeeded
from sipp.sipp import Sipp

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO"
UNTRUSTED = "127.128.0.1"
"""An address that the tests' proxies do not trust."""


def test_options_is_answered(proxy: Proxy, clearip: ClearIp, number: str) -> None:
    """A switch that asks whether the proxy is there hears that it is."""
    place = proxy.place("udp")

    response = ask(place, request("OPTIONS", number, place))

    assert response.status == 200
    assert response.headers("allow") == [ALLOW]
    assert not clearip.received()


@pytest.mark.parametrize(
    "method", ["REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "REFER", "PUBLISH", "INFO", "FOO"]
)
def test_other_method_outside_a_dialog_is_a_405(
    proxy: Proxy, clearip: ClearIp, number: str, method: str
) -> None:
    """The answer names what is allowed (RFC 3261 §21.4.6)."""
    place = proxy.place("udp")

    response = ask(place, request(method, number, place))

    assert response.status == 405
    assert response.headers("allow") == [ALLOW]
    assert not clearip.received()


def test_call_without_hops_left_is_a_483(proxy: Proxy, clearip: ClearIp, number: str) -> None:
    """Max-Forwards 0 ends here (RFC 3261 §16.3), before ClearIP is asked."""
    place = proxy.place("udp")

    response = ask(place, request("INVITE", number, place, max_forwards="0"))

    assert response.status == 483
    assert not clearip.received()


def test_call_without_max_forwards_gets_one(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """A proxy adds the missing header (RFC 3261 §16.6)."""
    clearip.says(603, "Decline")
    place = proxy.place("udp")

    response = ask(place, request("INVITE", sipp.number, place, max_forwards=""))

    assert response.status == 603
    assert clearip.invite.headers("max-forwards") == ["70"]


def test_call_that_requires_an_extension_is_a_420(
    proxy: Proxy, clearip: ClearIp, number: str
) -> None:
    """The answer names the options that the proxy does not know (RFC 3261 §16.3)."""
    place = proxy.place("udp")

    response = ask(place, request("INVITE", number, place, "Proxy-Require: privacy, foo"))

    assert response.status == 420
    assert response.headers("unsupported") == ["privacy, foo"]
    assert not clearip.received()


def test_call_to_nobody_is_a_484(proxy: Proxy, clearip: ClearIp, number: str) -> None:
    """A Request-URI without user part names no number."""
    place = proxy.place("udp")

    response = ask(place, request("INVITE", number, place, uri=f"sip:{place.host_port}"))

    assert response.status == 484
    assert not clearip.received()


@pytest.mark.parametrize(
    "changed",
    [
        {"cseq": "1 BYE"},
        {"uri": "http://example.com"},
        {"content_length": "10000"},
        {"cseq": "99999999999 INVITE"},
    ],
    ids=["cseq-of-another-method", "no-sip-uri", "body-missing", "cseq-too-large"],
)
def test_malformed_call_is_a_400(
    proxy: Proxy, clearip: ClearIp, number: str, changed: dict[str, str]
) -> None:
    """What no proxy may forward is refused, and ClearIP never sees it."""
    place = proxy.place("udp")

    response = ask(place, request("INVITE", number, place, **changed))

    assert response.status == 400
    assert not clearip.received()


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "REGISTER", "CANCEL"])
def test_untrusted_source_hears_nothing(
    proxy: Proxy, clearip: ClearIp, number: str, method: str
) -> None:
    """Not even that somebody is there."""
    place = proxy.place("udp")
    with RawCaller(place, UNTRUSTED) as caller:
        with proxy.turning_away():
            caller.send(request(method, number, place))

        assert caller.has_heard_nothing()
    assert not clearip.received()


def test_repeated_invite_makes_no_second_call(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Copies that different workers take at once are absorbed: ClearIP gets one INVITE."""
    clearip.says(603, "Decline")
    place = proxy.place("udp")
    with RawCaller(place) as caller:
        for _ in range(8):
            caller.send(request("INVITE", sipp.number, place))

        assert caller.hear_final().status == 603
    assert clearip.was_asked_once()


def test_trying_comes_before_clearip_has_answered(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The caller hears 100 while ClearIP thinks, and stops repeating its INVITE."""
    clearip.answers(SILENCE)

    caller = sipp.play("uac-cancels", to=fresh_proxy)

    caller.wait_for(100).cue()
    assert all_succeeded(caller)
    assert caller.statuses == [100, 487]
