"""What a contact leads to: a destination, a pointer back, or nowhere."""

from dataclasses import replace

import pytest

from clearip_proxy.destination import AskedWith, Destination, NoDestination, destination_of
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.sip.contact import parse_contacts
from clearip_proxy.sources import TrustedSources

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy(
        "sip.clearip.com",
        "sip.clearip.com",
        2_000,
        sites=("sip:192.0.2.60:5061;transport=tls",),
        own_domains=("clearip.com",),
        diversion_hosts=frozenset({"captcha.clearip.com", "captcha.sip.clearip.com"}),
    ),
    search=SearchPolicy(
        4_000,
        60_000,
        120_000,
        frozenset(),
        aliases={
            "tg-west": "sip:192.0.2.50:5070;transport=tcp",
            "fixed": "sip:operator@192.0.2.51",
            "captcha.clearip.com": "sip:192.0.2.52",
            "loop": "sip:192.0.2.9",
        },
    ),
    trusted=TrustedSources(),
    own=frozenset({"192.0.2.9:5060", "[2001:db8::9]:5060"}),
)
ASKED = AskedWith("sip:+1555@outbound.sip.clearip.com", "sip:+1555@switch.example.net:5080")


def result(contact: str, policy: RoutingPolicy = POLICY) -> Destination | NoDestination:
    """What the contact leads to."""
    [parsed] = parse_contacts([contact]).contacts
    return destination_of(parsed, ASKED, policy)


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        ("<sip:+1555@sip.clearip.com>", "points to ClearIP's own domain"),
        ("<sip:1@OUTBOUND.sip.clearip.com.:5060>", "points to ClearIP's own domain"),
        ("<sip:1@clearip.com>", "points to ClearIP's own domain"),
        ("<sip:1@other.ClearIP.com:5070>", "points to ClearIP's own domain"),
        ("<sip:1@192.0.2.60:5061>", "points to ClearIP's own domain"),
        ("<sip:1@192.0.2.60>", "points to ClearIP's own domain"),
        ("<sip:1@192.0.2.1;transport=WS>", "transport ws is none of the proxy's"),
        ("<sips:1@192.0.2.1;transport=sctp>", "transport sctp is none of the proxy's"),
        ("<sip:anything@192.0.2.9>", "points to the proxy itself"),
        ("<sip:anything@192.0.2.9:5060;transport=tcp>", "points to the proxy itself"),
        ("<sip:anything@[2001:DB8:0::9]>", "points to the proxy itself"),
        ("<sip:1@loop>", "points to the proxy itself"),
        ("<sip:1@gw.example.net;maddr=192.0.2.9>", "points to the proxy itself"),
        ("<sip:1@gw.example.net;maddr=192.0.2.60>", "points to ClearIP's own domain"),
        ("<sip:1@sip.clearip.com;maddr=192.0.2.1>", "points to ClearIP's own domain"),
        ("<sip:1@gw.example.net;maddr=224.0.1.75;ttl=1>", "maddr is a multicast address"),
        ("<tel:+1555>", "scheme tel leads to no host"),
        ("<sip:+1555@SWITCH.example.net:5080;transport=tcp>", "repeats the To URI"),
    ],
)
def test_pointer_back_is_no_destination(contact: str, reason: str) -> None:
    """Following it would loop, or lead nowhere; the log says which."""
    found = result(contact)

    assert isinstance(found, NoDestination)
    assert found.reason == reason


@pytest.mark.parametrize(
    "uri",
    [
        "sip:+1555@192.0.2.9:5070",
        "sip:+1555@192.0.2.60:7001",
        "sip:+1555@notclearip.com",
        "sip:+1555@192.0.2.1;transport=TLS",
        "sip:+1555@notsip.clearip.com.example.net",
        "sips:+1555@gw.example.net",
        "sip:+1999@switch.example.net:5080",
        "sip:1855;rn=+1404;npdi@192.0.2.1;tag;parameter=1",
    ],
)
def test_other_contact_is_a_destination_to_the_letter(uri: str) -> None:
    """Parameters stay, and another port of the same host is another element."""
    found = result(f"<{uri}>")

    assert isinstance(found, Destination)
    assert found.uri == uri
    assert not found.is_diversion


def test_contact_equal_to_the_uri_asked_with_is_no_destination() -> None:
    """A redirect service in another domain points back in the same way."""
    policy = replace(POLICY, clearip=replace(POLICY.clearip, domain="example.org", own_domains=()))

    found = result("<sip:+1555@outbound.SIP.clearip.com:5060>", policy)

    assert isinstance(found, NoDestination)
    assert found.reason == "repeats the URI that ClearIP was asked with"


def test_to_uri_is_a_destination_when_configured() -> None:
    """A switch may put the real destination into To."""
    policy = replace(POLICY, clearip=replace(POLICY.clearip, to_uri_is_route=True))

    assert isinstance(result("<sip:+1555@switch.example.net:5080>", policy), Destination)


def test_unreadable_to_uri_rules_nothing_out() -> None:
    """What cannot be read cannot be repeated."""
    [contact] = parse_contacts(["<sip:+1555@192.0.2.1>"]).contacts

    found = destination_of(contact, AskedWith(ASKED.request_uri, "nonsense"), POLICY)

    assert isinstance(found, Destination)


@pytest.mark.parametrize(
    ("contact", "uri"),
    [
        ("<sip:+1555@TG-West>", "sip:+1555@192.0.2.50:5070;transport=tcp"),
        ("<sip:+1555;tgrp=tg-west@sip.clearip.com>", None),
        ("<sip:+1555;npdi@gw;tgrp=tg-west>", "sip:+1555;npdi@192.0.2.50:5070;transport=tcp"),
        ("<sip:+1555@gw;dtg=TG-WEST>", "sip:+1555@192.0.2.50:5070;transport=tcp"),
        ("<sip:+1555@fixed>", "sip:operator@192.0.2.51"),
        ("<sip:tg-west>", "sip:192.0.2.50:5070;transport=tcp"),
    ],
)
def test_trunk_group_becomes_the_uri_of_its_alias(contact: str, uri: str | None) -> None:
    """By tgrp, dtg or host name, in any case; the called user goes along."""
    found = result(contact)

    assert isinstance(found, Destination)
    assert found.uri == (uri or "sip:+1555;tgrp=tg-west@192.0.2.50:5070;transport=tcp")


def test_alias_wins_over_clearips_domain() -> None:
    """The diversion host can be reached where the operator says."""
    found = result("<sip:+1555@captcha.clearip.com>")

    assert isinstance(found, Destination)
    assert (found.uri, found.is_diversion) == ("sip:+1555@192.0.2.52", True)


def test_diversion_host_in_clearips_domain_is_a_destination() -> None:
    """It is a host of ClearIP's, and yet a place to send the call to."""
    found = result("<sip:+1555@captcha.sip.clearip.com>")

    assert isinstance(found, Destination)
    assert found.is_diversion


def test_no_aliases_cost_nothing() -> None:
    """Without aliases every contact is taken as it stands."""
    policy = replace(POLICY, search=replace(POLICY.search, aliases={}))

    found = result("<sip:+1555@TG-West>", policy)

    assert isinstance(found, Destination)
    assert found.uri == "sip:+1555@TG-West"
