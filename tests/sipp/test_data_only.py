"""A 302 that brings headers and no route: its Contact only points back."""

from dataclasses import dataclass

import pytest

from sipp.clearip import HOST, ClearIp, token
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp

DEFAULT_PORT = 9950
TO = "<sip:+18005550100@192.0.2.77:5080;user=phone>"
POINTERS = {
    "to": "<sip:+18005550100@192.0.2.77:5080>;q=0.99",
    "to-with-parameters": '"To" <sip:+18005550100@192.0.2.77:5080;transport=tcp;x=y>',
    "to-over-tls": "<sips:+18005550100@192.0.2.77:5080>",
    "request-uri": "<sip:{number}@sip.clearip.com>",
    "request-uri-with-port": "<sip:{number}@sip.clearip.com:5060>;q=0.99",
    "capitals": "<sip:{number}@SIP.ClearIP.COM.>",
    "below-clearip": "<sip:{number}@outbound.sip.clearip.com;transport=tls>",
    "clearip": "<sip:{number}@clearip.com:5061>",
    "site": "<sip:{number}@127.0.0.1:6061;transport=tls>",
    "proxy": "<sip:0{number}@127.0.0.1:{port};transport=tcp>",
    "proxy-over-tls": "<sip:0{number}@127.0.0.1:{tls};transport=tls>",
    "proxy-over-ipv6": "<sip:0{number}@[::1]:{port}>",
    "three-of-them": "<sip:{number}@clearip.com>, <sip:0{number}@[::1]:{port}>, <tel:+1>",
    "unreadable": '"no end <sip:{number}@127.0.0.1:9',
    "wildcard": "*",
    "nothing": "",
}


@dataclass(frozen=True)
class Pointing:
    """A 302 of that kind, for one call."""

    proxy: Proxy
    clearip: ClearIp
    number: str
    identity: str

    def says(self, kind: str) -> None:
        """Let ClearIP give it."""
        ports = {"port": self.proxy.port, "tls": self.proxy.port + 1}
        contact = POINTERS[kind].format(number=self.number, **ports)
        lines = [f"Contact: {contact}"] if contact else []
        self.clearip.moved(*lines, f"Identity: {self.identity}")


@pytest.fixture
def default(sipp: Sipp) -> Role:
    """Who answers at the default route."""
    return sipp.play("target-200", port=DEFAULT_PORT)


@pytest.mark.parametrize("kind", POINTERS)
def test_contact_that_points_back_leads_to_the_default_route(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, default: Role, kind: str
) -> None:
    """With the signature, whatever `on_no_route` says; and never in a loop."""
    proxy = proxy_with(default_route=[f"sip:{HOST}:{DEFAULT_PORT}"])
    pointing = Pointing(proxy, clearip, sipp.number, token())
    pointing.says(kind)

    caller = sipp.play("uac-answered", to=proxy, callee=TO)

    assert all_succeeded(caller, default)
    assert default.invite.request_uri == f"sip:{sipp.number}@{HOST}:{DEFAULT_PORT}"
    assert default.invite.headers("identity") == [pointing.identity]
    assert clearip.was_asked_once()


@pytest.mark.parametrize("kind", ["to", "request-uri", "proxy", "three-of-them", "nothing"])
def test_contact_that_points_back_is_a_503_without_default_route(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, kind: str
) -> None:
    """The Reason says why; the 302 stays where it is."""
    Pointing(proxy, clearip, sipp.number, token()).says(kind)

    caller = sipp.play("uac-refused", to=proxy, callee=TO)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 503]
    assert caller.final.headers("reason") == ['SIP;cause=503;text="no route from ClearIP"']
    assert not caller.final.headers("contact")
    assert not caller.final.headers("identity")
    assert clearip.was_asked_once()


def test_real_routes_among_pointers_are_searched(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """Better pointers are passed over, and the default route stays alone."""
    proxy = proxy_with(default_route=[f"sip:{HOST}:{DEFAULT_PORT}"])
    nobody = sipp.play("nobody", port=DEFAULT_PORT)
    first, second = sipp.play("target-final"), sipp.play("target-final", status="500 Failed")
    identity = token()
    clearip.redirects_to(
        f"<sip:{sipp.number}@sip.clearip.com>;q=1",
        second.at(q=0.3),
        "<sip:+18005550100@192.0.2.77:5080>;q=0.9",
        first.at(q=0.4),
        f"<sip:0{sipp.number}@127.0.0.1:{proxy.port}>;q=0.35",
        identities=[identity],
    )

    caller = sipp.play("uac-refused", to=proxy, callee=TO)

    assert all_succeeded(caller, first, second)
    assert caller.final.status == 503
    assert first.invite.headers("identity") == second.invite.headers("identity") == [identity]
    assert nobody.is_silent
    assert clearip.was_asked_once()


def test_to_uri_is_a_route_where_the_configuration_says_so(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """For switches that write the real destination into To; the Request-URI never is one."""
    proxy = proxy_with(
        clearip={"to_uri_is_route": True}, default_route=[f"sip:{HOST}:{DEFAULT_PORT}"]
    )
    nobody = sipp.play("nobody", port=DEFAULT_PORT)
    target = sipp.play("target-200")
    clearip.redirects_to(f"<sip:{sipp.number}@sip.clearip.com>", f"<{target.uri}>;q=0.9")

    caller = sipp.play("uac-answered", to=proxy, callee=f"<{target.uri};user=phone>")

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == target.uri
    assert nobody.is_silent


def test_to_uri_at_the_proxy_is_no_route_even_so(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """A switch calls the proxy by its address: to follow that would be a loop."""
    proxy = proxy_with(
        clearip={"to_uri_is_route": True}, default_route=[f"sip:{HOST}:{DEFAULT_PORT}"]
    )
    target = sipp.play("target-200", port=DEFAULT_PORT)
    clearip.redirects_to(f"<sip:{sipp.number}@127.0.0.1:{proxy.port}>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert clearip.was_asked_once()
