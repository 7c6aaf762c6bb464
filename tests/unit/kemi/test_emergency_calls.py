"""Emergency calls: which they are, and that nothing stands in their way."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from clearip_proxy.decisions import Fork, Reply
from clearip_proxy.policy import ClearIpPolicy, EmergencyPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import Target
from clearip_proxy.routing import Request, is_emergency, on_request
from clearip_proxy.sources import TrustedSource, TrustedSources

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(TrustedSource(ip_network("10.0.0.0/8"))),
    emergency=EmergencyPolicy(frozenset({"911"}), ("+1", "+")),
)
WITH_DEFAULT_ROUTE = replace(POLICY, default_route=("sip:gw1.example.net",))
INVITE = Request(method="INVITE", uri="sip:911@proxy", source_address="10.1.1.1", from_tag="a")


@pytest.mark.parametrize(
    "uri", ["sip:911@proxy", "tel:9-1-1", "sip:911;phone-context=x@proxy", "sip:+1911@p"]
)
def test_emergency_number_never_asks_clearip(uri: str) -> None:
    """The configured route is tried at once, however the number is written."""
    policy = replace(POLICY, emergency=replace(POLICY.emergency, route=("sip:psap.example.net",)))

    decision = on_request(replace(INVITE, uri=uri), policy)

    assert isinstance(decision, Fork)
    assert decision.target.endswith("@psap.example.net")


@pytest.mark.parametrize(
    "uri", ["urn:service:sos", "URN:Service:SOS", "urn:service:sos.fire", "urn:service:sos.a-b.c"]
)
def test_emergency_service_is_the_first_emergency_number(uri: str) -> None:
    """RFC 5031 §4.2: what a phone dials when its user presses the emergency button."""
    numbers, route = frozenset({"112"}), ("sip:g1", "sip:own@g2")
    policy = replace(POLICY.emergency, numbers=numbers, service_number="112", route=route)

    decision = on_request(replace(INVITE, uri=uri), replace(POLICY, emergency=policy))

    assert isinstance(decision, Fork)
    assert decision.target == "sip:112@g1"
    assert decision.context.remaining == (Target("sip:own@g2"),)


@pytest.mark.parametrize(
    ("uri", "numbers"),
    [
        ("urn:service:test.sos", frozenset({"112"})),
        ("urn:service:counseling", frozenset({"112"})),
        ("urn:service:sosx", frozenset({"112"})),
        ("urn:service:sos.", frozenset({"112"})),
        ("urn:service:sos", frozenset[str]()),
    ],
)
def test_other_service_is_refused(uri: str, numbers: frozenset[str]) -> None:
    """A test call must not ring where emergencies are answered."""
    policy = replace(POLICY.emergency, numbers=numbers, service_number=next(iter(numbers), ""))

    decision = on_request(replace(INVITE, uri=uri), replace(POLICY, emergency=policy))

    assert decision == Reply(416, "Unsupported URI Scheme")


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


def test_emergency_call_without_from_tag_goes_on() -> None:
    """Phones older than RFC 3261 leave it out; who needs help is not told to buy another."""
    decision = on_request(replace(INVITE, from_tag=""), WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:911@gw1.example.net"
