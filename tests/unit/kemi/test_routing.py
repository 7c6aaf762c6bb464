"""Every decision about a request."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from clearip_proxy.decisions import (
    CancelBranches,
    Discard,
    FollowRoute,
    Fork,
    QueryClearIp,
    Reply,
)
from clearip_proxy.policy import ClearIpPolicy, EmergencyPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.routing import ALLOW, Request, is_emergency, on_request
from clearip_proxy.sources import TrustedSource, TrustedSources

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(
        TrustedSource(ip_network("10.0.0.0/8")),
        TrustedSource(ip_network("10.9.0.0/16"), "inbound switch", "inbound"),
    ),
    emergency=EmergencyPolicy(frozenset({"911"}), ("+1", "+")),
)
WITH_DEFAULT_ROUTE = replace(POLICY, default_route=("sip:gw1.example.net",))
INVITE = Request(method="INVITE", uri="sip:+15551234567@proxy", source_address="10.1.1.1")
ASKED = ResponseContext(clearip_uri="sip:+15551234567@sip.clearip.com")


def test_initial_invite_asks_clearip_with_the_user_to_the_letter() -> None:
    """User parameters stay; the host becomes ClearIP's domain."""
    request = replace(INVITE, uri="sip:+1555;rn=+1444;npdi@proxy:5060;user=phone")

    assert on_request(request, POLICY) == QueryClearIp(
        ResponseContext(clearip_uri="sip:+1555;rn=+1444;npdi@sip.clearip.com")
    )


def test_tel_uri_asks_clearip_with_its_number() -> None:
    """A switch may send a tel URI (RFC 3966)."""
    decision = on_request(replace(INVITE, uri="tel:+15551234567"), POLICY)

    assert decision == QueryClearIp(ASKED)


@pytest.mark.parametrize(
    ("source", "host"),
    [("10.1.1.1", "outbound.sip.clearip.com"), ("10.9.1.1", "inbound.sip.clearip.com")],
)
def test_partition_is_a_label_before_the_domain(source: str, host: str) -> None:
    """A source's own partition wins over the general one."""
    policy = replace(POLICY, clearip=replace(POLICY.clearip, partition="outbound"))

    decision = on_request(replace(INVITE, source_address=source), policy)

    assert decision == QueryClearIp(ResponseContext(clearip_uri=f"sip:+15551234567@{host}"))


def test_untrusted_source_is_not_answered() -> None:
    """Not even with a refusal: a scanner learns nothing."""
    for method in ("INVITE", "OPTIONS", "REGISTER", "CANCEL"):
        request = replace(INVITE, method=method, source_address="192.0.2.66")
        assert isinstance(on_request(request, POLICY), Discard)


@pytest.mark.parametrize(
    ("change", "reply"),
    [
        ({"method": "OPTIONS"}, Reply(200, "OK", (("Allow", ALLOW),))),
        ({"method": "OPTIONS", "hops_left": False}, Reply(200, "OK", (("Allow", ALLOW),))),
        ({"method": "REGISTER"}, Reply(405, "Method Not Allowed", (("Allow", ALLOW),))),
        ({"hops_left": False}, Reply(483, "Too Many Hops")),
        ({"proxy_require": "foo"}, Reply(420, "Bad Extension", (("Unsupported", "foo"),))),
        ({"is_well_formed": False}, Reply(400, "Bad Request")),
        ({"uri": "sip:proxy"}, Reply(484, "Address Incomplete")),
        ({"uri": "http://proxy"}, Reply(416, "Unsupported URI Scheme")),
        ({"uri": "sip:no user@proxy"}, Reply(400, "Bad Request-URI")),
        ({"has_to_tag": True, "hops_left": False}, Reply(483, "Too Many Hops")),
        (
            {"method": "BYE", "has_to_tag": True, "proxy_require": "foo"},
            Reply(420, "Bad Extension", (("Unsupported", "foo"),)),
        ),
    ],
)
def test_request_that_cannot_go_on_is_answered(change: dict[str, object], reply: Reply) -> None:
    """Each check of RFC 3261 §16.3 has its response."""
    assert on_request(replace(INVITE, **change), POLICY) == reply  # type: ignore[arg-type]


def test_cancel_goes_to_the_branches() -> None:
    """A CANCEL follows the INVITE that it matches."""
    assert on_request(replace(INVITE, method="CANCEL"), POLICY) == CancelBranches()


@pytest.mark.parametrize("method", ["BYE", "INVITE", "UPDATE", "PRACK", "INFO", "REFER", "ACK"])
def test_request_in_a_dialog_follows_its_route(method: str) -> None:
    """From any source: targets need not be trusted to hang up."""
    request = replace(INVITE, method=method, has_to_tag=True, source_address="192.0.2.66")

    assert on_request(request, POLICY) == FollowRoute(method)


def test_ack_without_hops_left_is_dropped() -> None:
    """An ACK is never answered (RFC 3261 §8.2.6.1)."""
    request = replace(INVITE, method="ACK", has_to_tag=True, hops_left=False)

    assert isinstance(on_request(request, POLICY), Discard)


@pytest.mark.parametrize(
    "uri", ["sip:911@proxy", "tel:9-1-1", "sip:911;phone-context=x@proxy", "sip:+1911@p"]
)
def test_emergency_number_never_asks_clearip(uri: str) -> None:
    """The configured route is tried at once, however the number is written."""
    policy = replace(POLICY, emergency=replace(POLICY.emergency, route=("sip:psap.example.net",)))

    decision = on_request(replace(INVITE, uri=uri), policy)

    assert isinstance(decision, Fork)
    assert decision.target.endswith("@psap.example.net")


def test_emergency_number_without_route_of_its_own_takes_the_default_route() -> None:
    """`emergency.route` empty means the default route."""
    decision = on_request(replace(INVITE, uri="sip:911@proxy"), WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:911@gw1.example.net"


def test_emergency_number_without_any_route_is_refused_at_once() -> None:
    """The switch must be able to go another way without delay."""
    decision = on_request(replace(INVITE, uri="sip:911@proxy"), POLICY)

    assert isinstance(decision, Reply)
    assert decision.status == 503


@pytest.mark.parametrize("user", ["%39%31%31", "*31%23", "*31#"])
def test_emergency_number_is_known_in_percent_encoding(user: str) -> None:
    """A SIP URI can hold `#` in no other way."""
    policy = replace(POLICY.emergency, numbers=frozenset({"911", "*31#"}))

    assert is_emergency(user, policy)


@pytest.mark.parametrize("user", ["1911", "+44911", "9111", "0911", ""])
def test_other_number_is_no_emergency(user: str) -> None:
    """Only the numbers themselves, and those behind a configured prefix."""
    assert not is_emergency(user, POLICY.emergency)
