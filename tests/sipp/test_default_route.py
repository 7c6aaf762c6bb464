"""The default route: where calls go for which ClearIP chose no route, or could not choose one."""

import pytest

from sipp.clearip import HOST, SILENCE, VACANT_SITE_PORT, ClearIp, token
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import Role, all_succeeded, tried_in_order
from sipp.sipp import Sipp

FIRST_PORT, SECOND_PORT = 9100, 9110
"""Where the configuration sends calls: the targets of a test listen there."""
DEFAULT_ROUTE = [f"sip:{HOST}:{FIRST_PORT}", f"sip:carrier@{HOST}:{SECOND_PORT};transport=tcp"]


@pytest.fixture
def proxy(proxy_with: ProxyWith) -> Proxy:
    """A proxy that goes on without ClearIP's route, and without ClearIP."""
    return proxy_with(
        clearip={
            "on_no_route": "default_route",
            "on_unavailable": "default_route",
            "response_timeout_ms": 1000,
        },
        default_route=DEFAULT_ROUTE,
    )


@pytest.fixture
def targets(sipp: Sipp) -> tuple[Role, Role]:
    """The targets of the default route: the first fails, the second answers."""
    return (
        sipp.play("target-final", port=FIRST_PORT),
        sipp.play("target-200", port=SECOND_PORT, transport="tcp"),
    )


@pytest.mark.parametrize("status", [404, 503, 403, 400, 500])
def test_answer_without_route_leads_to_the_default_route(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, targets: tuple[Role, Role], status: int
) -> None:
    """Its URIs are searched in order; one without user part gets the called number."""
    first, second = targets
    clearip.says(status, "No Route")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)
    assert first.invite.request_uri == f"sip:{sipp.number}@{HOST}:{FIRST_PORT}"
    assert second.invite.request_uri == DEFAULT_ROUTE[1]
    assert caller.statuses == [100, 200]
    assert clearip.was_asked_once()


def test_identity_of_an_answer_without_route_reaches_the_default_route(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, targets: tuple[Role, Role]
) -> None:
    """A 503 that brings a signature signs the call: every target gets it, once."""
    first, second = targets
    identity = token()
    clearip.says(503, "No Route", f"Identity: {identity}")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert first.invite.headers("identity") == [identity]
    assert second.invite.headers("identity") == [identity]


@pytest.mark.parametrize(
    "contact",
    [
        "<sip:{number}@sip.clearip.com:5060>;q=0.99",
        "<sip:{number}@anything.sip.clearip.com>;q=0.99",
        "<sip:{number}@127.0.0.1:{port}>",
        None,
    ],
    ids=["clearip", "below-clearip", "proxy", "none"],
)
def test_302_that_leads_back_leads_to_the_default_route(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, targets: tuple[Role, Role], contact: str | None
) -> None:
    """A 302 for the sake of its headers chooses no route: following it would loop."""
    first, second = targets
    identity = token()
    uri = contact and contact.format(number=sipp.number, port=proxy.port)
    clearip.moved(f"Identity: {identity}", *([f"Contact: {uri}"] if uri else []))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert first.invite.headers("identity") == [identity]
    assert second.invite.headers("identity") == [identity]
    assert clearip.was_asked_once()


def test_302_that_leads_back_is_a_503_without_default_route(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """The 302 itself never reaches the caller."""
    proxy = proxy_with()
    clearip.redirects_to(f"<sip:{sipp.number}@sip.clearip.com>")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 503]
    assert caller.final.headers("reason") == ['SIP;cause=503;text="no route from ClearIP"']
    assert clearip.was_asked_once()


def test_silence_of_clearip_leads_to_the_default_route(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, targets: tuple[Role, Role]
) -> None:
    """When both sites have been silent for their time, the call goes on unsigned."""
    first, second = targets
    clearip.answers(SILENCE)

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert clearip.methods == ["INVITE", "INVITE"]
    assert not second.invite.headers("identity")


def test_absence_of_clearip_leads_to_the_default_route(
    proxy_with: ProxyWith, sipp: Sipp, targets: tuple[Role, Role]
) -> None:
    """No site takes the connection: the call goes on at once."""
    first, second = targets
    proxy = proxy_with(
        clearip={
            "on_unavailable": "default_route",
            "sites": [{"host": HOST, "port": VACANT_SITE_PORT}],
        },
        default_route=DEFAULT_ROUTE,
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)


@pytest.mark.parametrize("status", [603, 484, 407])
def test_refusal_leads_to_no_default_route(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: int
) -> None:
    """Whom ClearIP blocks, nobody lets through."""
    first, second = (
        sipp.play("nobody", port=FIRST_PORT),
        sipp.play("nobody", port=SECOND_PORT, transport="tcp"),
    )
    clearip.says(status, "Refused")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, status]
    assert first.is_silent
    assert second.is_silent
    assert clearip.was_asked_once()


def test_route_of_clearips_leaves_the_default_route_alone(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """When every target that ClearIP chose has failed, nobody else is called."""
    default = sipp.play("nobody", port=FIRST_PORT)
    target = sipp.play("target-final")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 503]
    assert default.is_silent
