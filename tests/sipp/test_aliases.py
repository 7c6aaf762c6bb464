"""Contacts by trunk group or name: `targets.aliases` says where they are."""

import pytest

from sipp.clearip import HOST, ClearIp
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import all_succeeded, tried_in_order
from sipp.sipp import Sipp

WEST_PORT, EAST_PORT = 9900, 9910
ALIASES = {
    "tg-west": f"sip:{HOST}:{WEST_PORT}",
    "West.Clearip.com": f"sip:{HOST}:{WEST_PORT}",
    "127.0.0.99": f"sip:{HOST}:{WEST_PORT}",
    "TG_EAST": f"sip:gateway@{HOST}:{EAST_PORT};transport=tcp",
}


@pytest.fixture
def proxy(proxy_with: ProxyWith) -> Proxy:
    """A proxy that knows some trunk groups."""
    return proxy_with(targets={"aliases": ALIASES})


@pytest.mark.parametrize(
    ("contact", "user"),
    [
        ("<sip:{number}@tg-west>", "{number}"),
        ("<sip:{number}@TG-WEST:5080;transport=tls>", "{number}"),
        ("<sip:4711{number};rn=+1404@tg-west>", "4711{number};rn=+1404"),
        ("<sip:{number};tgrp=Tg-West;x=y@sip.clearip.com>", "{number};tgrp=Tg-West;x=y"),
        ("<sip:{number}@sip.clearip.com;tgrp=tg-west>", "{number}"),
        ("<sip:{number}@sip.clearip.com:5061;dtg=tg-west>", "{number}"),
        ("<sip:{number}@anything.invalid;dtg=tg-west;transport=ws>", "{number}"),
        ("<tel:{number};tgrp=tg-west>", "{number}"),
        ("sip:{number}@tg-west;dtg=nothing", "{number}"),
        ("<sip:{number}@west.clearip.com>", "{number}"),
        ("<sip:{number}@127.0.0.99:9>", "{number}"),
    ],
    ids=[
        "host",
        "host-in-capitals",
        "prefix",
        "tgrp-of-user",
        "tgrp-of-uri",
        "dtg",
        "dtg-over-transport",
        "tel",
        "addr-spec",
        "name-in-clearips-domain",
        "address",
    ],
)
def test_name_that_has_an_alias_leads_to_it(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, contact: str, user: str
) -> None:
    """Over the rule that ClearIP's own domain is no route, too; the user stays to the letter."""
    target = sipp.play("target-200", port=WEST_PORT)
    clearip.redirects_to(contact.format(number=sipp.number))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    expected = user.format(number=sipp.number)
    assert target.invite.request_uri == f"sip:{expected}@{HOST}:{WEST_PORT}"
    assert clearip.was_asked_once()


def test_alias_that_names_a_user_keeps_it(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """And its transport."""
    target = sipp.play("target-200", port=EAST_PORT, transport="tcp")
    clearip.redirects_to(f"<sip:{sipp.number}@tg_east>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == ALIASES["TG_EAST"]


def test_place_of_two_aliases_is_tried_once(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Whatever ClearIP calls it."""
    target = sipp.play("target-final", port=WEST_PORT)
    last = sipp.play("target-200")
    number = sipp.number
    clearip.redirects_to(
        f"<sip:{number}@tg-west>",
        f"<sip:{number}@west.clearip.com>",
        f"<sip:{number}@127.0.0.99>",
        last.at(q=0.1),
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target, last)
    assert tried_in_order(target, last)


def test_name_without_alias_in_clearips_domain_is_passed_over(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The log names the contact by its place, and the next one is called."""
    target = sipp.play("target-200")
    clearip.redirects_to(f"<sip:{sipp.number}@tg-north.clearip.com>", target.at(q=0.1))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    proxy.wait_for_log(sipp.number, "contact 1 skipped: points to ClearIP's own domain")


@pytest.mark.parametrize(
    ("contact", "why"),
    [
        ("<tel:{number}>", "scheme tel leads to no host"),
        ("<mailto:{number}@x>", "contact 1: neither a SIP nor a tel URI"),
        ("<sip:{number}@127.0.0.1:9;transport=ws>", "transport ws is none of the proxy's"),
        ("<sip:{number}@127.0.0.1:9;transport=sctp>", "transport sctp is none of the proxy's"),
        ("<sip:0{number}@127.0.0.1:{port}>", "points to the proxy itself"),
        ("<sip:{number}@[0:0:0:0:0:0:0:1]:{port};transport=tcp>", "points to the proxy itself"),
        ("<sip:{number}@tg-unknown>", "target 1 name server"),
        ("<sip:{number}@carrier.invalid:5060>", "target 1 name server"),
        ("<sip:{number}@127.0.0.1:70000>", "contact 1: port out of range"),
        ("*", "contact 1: a wildcard names no target"),
    ],
)
def test_contact_that_cannot_be_used_is_passed_over(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, contact: str, why: str
) -> None:
    """Not fatal: the log says why, and the next contact is called."""
    target = sipp.play("target-200")
    clearip.redirects_to(contact.format(number=sipp.number, port=proxy.port), target.at(q=0.1))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    proxy.wait_for_log(sipp.number, why)
    assert clearip.was_asked_once()
