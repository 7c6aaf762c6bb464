"""Suspicious calls: they go to the diversion host, or nowhere."""

import pytest

from sipp.clearip import HOST, ClearIp
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import all_succeeded, tried_in_order
from sipp.sipp import Sipp

DEFAULT_PORT, CAPTCHA_PORT = 9800, 9810
IVR = "127.0.0.88"
"""A diversion host that is an address."""


@pytest.fixture
def proxy(proxy_with: ProxyWith) -> Proxy:
    """A proxy with everything that could undo a diversion."""
    return proxy_with(
        clearip={
            "diversion_hosts": ["captcha.clearip.com", "no-such.clearip.com", IVR],
            "on_no_route": "default_route",
            "on_unavailable": "default_route",
        },
        targets={
            "advance_on": ["4xx", "5xx"],
            "no_response_timeout_ms": 800,
            "aliases": {"captcha.clearip.com": f"sip:{HOST}:{CAPTCHA_PORT}"},
        },
        default_route=[f"sip:{HOST}:{DEFAULT_PORT}"],
    )


class Unscreened:
    """Those by whom the screening must not be undone: another route, and the default route."""

    def __init__(self, sipp: Sipp) -> None:
        self._route = sipp.play("nobody")
        self._default = sipp.play("nobody", port=DEFAULT_PORT)

    def at(self, q: float) -> str:
        """The Contact of the other route."""
        return self._route.at(q)

    @property
    def are_silent(self) -> bool:
        """Whether nothing has reached them."""
        return self._route.is_silent and self._default.is_silent


@pytest.fixture
def unscreened(sipp: Sipp) -> Unscreened:
    """They listen."""
    return Unscreened(sipp)


def captcha(number: str, q: float = 0.5, parameters: str = "") -> str:
    """The Contact that ClearIP gives a suspicious call."""
    return f"<sip:{number}@captcha.clearip.com{parameters}>;q={q}"


def test_diverted_call_goes_where_an_alias_says(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, unscreened: Unscreened
) -> None:
    """A better route beside it is left out; ClearIP's own domain is no reason to pass it over."""
    gateway = sipp.play("target-200", port=CAPTCHA_PORT)
    clearip.redirects_to(unscreened.at(q=0.9), captcha(sipp.number))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, gateway)
    assert gateway.invite.request_uri == f"sip:{sipp.number}@{HOST}:{CAPTCHA_PORT}"
    assert unscreened.are_silent
    assert clearip.was_asked_once()


def test_diverted_call_keeps_user_port_and_parameters(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, unscreened: Unscreened
) -> None:
    """A diversion host that is an address needs no alias."""
    ivr = sipp.play("target-200", host=IVR, transport="tcp")
    uri = f"sip:case-17;x=y@{ivr.place.host_port};transport=tcp;caller=unknown"
    clearip.redirects_to(f"<{uri}>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, ivr)
    assert ivr.invite.request_uri == uri
    assert unscreened.are_silent


@pytest.mark.parametrize(
    "status",
    ["503 No Circuit", "404 Not Found", "480 Unavailable", "486 Busy Here", "603 Decline"],
)
def test_diversion_that_fails_is_followed_by_nothing(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, unscreened: Unscreened, status: str
) -> None:
    """Neither the routes beside it nor the default route; the caller hears what it said."""
    gateway = sipp.play("target-final", port=CAPTCHA_PORT, status=status)
    clearip.redirects_to(captcha(sipp.number), unscreened.at(q=0.1))

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, gateway)
    assert f"{caller.final.status} {caller.final.reason_phrase}" == status
    assert unscreened.are_silent


def test_diversion_that_is_silent_is_followed_by_nothing(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, unscreened: Unscreened
) -> None:
    """The caller gets the timeout."""
    gateway = sipp.play("target-silent", port=CAPTCHA_PORT)
    clearip.redirects_to(captcha(sipp.number), unscreened.at(q=0.1))

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 408]
    assert gateway.received("INVITE")
    assert unscreened.are_silent


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_diversion_that_takes_no_connection_is_followed_by_nothing(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, unscreened: Unscreened, transport: str
) -> None:
    """Nobody listens at the diversion host."""
    clearip.redirects_to(f"<sip:{sipp.number}@{IVR}:9;transport={transport}>", unscreened.at(q=0.1))

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.final.headers("reason") == ['SIP;cause=503;text="target unreachable"']
    assert unscreened.are_silent


def test_diversion_host_that_no_dns_knows_is_followed_by_nothing(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, unscreened: Unscreened
) -> None:
    """It leads nowhere, and so does the call."""
    clearip.redirects_to(f"<sip:{sipp.number}@no-such.clearip.com>", unscreened.at(q=0.1))

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 503]
    assert unscreened.are_silent


def test_diversion_that_cannot_be_used_is_a_503_that_says_so(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, unscreened: Unscreened
) -> None:
    """The proxy lacks the transport that the Contact asks for."""
    clearip.redirects_to(
        f"<sip:{sipp.number}@no-such.clearip.com;transport=ws>", unscreened.at(q=0.1)
    )

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.final.headers("reason") == ['SIP;cause=503;text="diversion host cannot be used"']
    assert unscreened.are_silent


def test_several_diversion_hosts_are_tried_in_order(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, unscreened: Unscreened
) -> None:
    """The second screens as well as the first; a route between them is left out."""
    first = sipp.play("target-final", port=CAPTCHA_PORT)
    second = sipp.play("target-200", host=IVR)
    clearip.redirects_to(second.at(q=0.1), unscreened.at(q=0.5), captcha(sipp.number, 0.9))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)
    assert unscreened.are_silent
