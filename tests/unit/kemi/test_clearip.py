"""What ClearIP's final responses mean, and what is taken from them."""

import pytest

from clearip_proxy.clearip import ClearIpResponse, Verdict, is_route, read_response, verdict_of
from clearip_proxy.contact import parse_contacts
from clearip_proxy.message import parse_response
from clearip_proxy.uri import parse_uri

ASKED = parse_uri("sip:+15551234567@outbound.sip.clearip.com")
OWN = frozenset({"192.0.2.9:5060", "[2001:db8::9]:5060"})


def answer(*headers: str, status_line: str = "SIP/2.0 302 Moved Temporarily") -> ClearIpResponse:
    """The response with these header lines, Identity and PAI being copied."""
    raw = "\r\n".join((status_line, *headers, "", ""))
    return read_response(parse_response(raw), ("Identity", "X-Identity", "P-Asserted-Identity"))


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (302, Verdict.ROUTE),
        (300, Verdict.ROUTE),
        (404, Verdict.NO_ROUTE),
        (503, Verdict.NO_ROUTE),
        (401, Verdict.REFUSE),
        (407, Verdict.REFUSE),
        (484, Verdict.REFUSE),
        (600, Verdict.REFUSE),
        (603, Verdict.REFUSE),
        (607, Verdict.REFUSE),
        (608, Verdict.REFUSE),
        (400, Verdict.SETUP_FAULT),
        (403, Verdict.SETUP_FAULT),
        (413, Verdict.SETUP_FAULT),
        (483, Verdict.SETUP_FAULT),
        (500, Verdict.SETUP_FAULT),
    ],
)
def test_status_has_its_verdict(status: int, verdict: Verdict) -> None:
    """One table says what each final response means."""
    assert verdict_of(status) is verdict


def test_contacts_are_in_the_order_of_the_search() -> None:
    """The highest q comes first, whatever header it stands in."""
    response = answer("Contact: <sip:1@192.0.2.1>;q=0.5", "m: <sip:1@192.0.2.2>;q=0.9")

    assert [contact.uri_text for contact in response.contacts] == [
        "sip:1@192.0.2.2",
        "sip:1@192.0.2.1",
    ]


def test_identity_in_every_form_is_one_list() -> None:
    """Identity, its compact form and X-Identity are the same thing to a target."""
    response = answer("Identity: a.b.c;ppt=shaken", "y: d.e.f;ppt=div", "X-Identity: g.h.i")

    assert response.identities == ("a.b.c;ppt=shaken", "d.e.f;ppt=div", "g.h.i")


def test_only_configured_headers_are_copied() -> None:
    """What is not named in the configuration stays behind."""
    response = answer('P-Asserted-Identity: "[V] NAME" <sip:1@x>', "Reason: SIP;cause=302")

    assert response.headers == (("P-Asserted-Identity", '"[V] NAME" <sip:1@x>'),)


def test_faults_of_all_parts_are_reported() -> None:
    """What was skipped can be logged."""
    response = answer("Contact: <http://x>", "Identity: ümlaut", status_line="SIP/2.0 302 Moved")

    assert len(response.faults) == 2
    assert response.contacts == ()
    assert response.identities == ()


@pytest.mark.parametrize(
    "contact",
    [
        "<sip:+15551234567@sip.clearip.com>",
        "<sip:+15551234567@OUTBOUND.sip.clearip.com:5060>",
        "<sip:anything@192.0.2.9>",
        "<sip:anything@192.0.2.9:5060;transport=tcp>",
        "<sip:anything@[2001:DB8:0::9]>",
        "<tel:+15551234567>",
    ],
)
def test_pointer_back_is_no_route(contact: str) -> None:
    """ClearIP's domain, the proxy itself and a number without a place lead nowhere."""
    [parsed] = parse_contacts([contact]).contacts

    assert not is_route(parsed, ASKED, "sip.clearip.com", OWN)


@pytest.mark.parametrize(
    "contact",
    [
        "<sip:+15551234567@192.0.2.9:5070>",
        "<sip:+15551234567@notsip.clearip.com.example.net>",
        "<sips:+15551234567@gw.example.net>",
    ],
)
def test_other_destination_is_a_route(contact: str) -> None:
    """Another port of the same host is another element."""
    [parsed] = parse_contacts([contact]).contacts

    assert is_route(parsed, ASKED, "sip.clearip.com", OWN)


def test_contact_equal_to_the_uri_asked_with_is_no_route() -> None:
    """A redirect service in another domain points back in the same way."""
    asked = parse_uri("sip:1@redirect.example.net")
    [parsed] = parse_contacts(["<sip:1@REDIRECT.example.net:5060>"]).contacts

    assert not is_route(parsed, asked, "sip.clearip.com", OWN)
