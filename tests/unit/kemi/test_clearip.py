"""What is taken from ClearIP's final responses."""

from clearip_proxy.clearip import CarriedHeaders, ClearIpResponse, carried_headers, read_response
from clearip_proxy.sip.message import parse_response

COPIED = ("identity", "X-Identity", "P-Asserted-Identity")


def answer(*headers: str, status_line: str = "SIP/2.0 302 Moved Temporarily") -> ClearIpResponse:
    """The response with these header lines, Identity and PAI being copied."""
    raw = "\r\n".join((status_line, *headers, "", ""))
    return read_response(parse_response(raw), COPIED)


def test_contacts_are_in_the_order_of_the_search() -> None:
    """The highest q comes first, whatever header it stands in."""
    response = answer("Contact: <sip:1@192.0.2.1>;q=0.5", "m: <sip:1@192.0.2.2>;q=0.9")

    assert [contact.uri_text for contact in response.contacts] == [
        "sip:1@192.0.2.2",
        "sip:1@192.0.2.1",
    ]


def test_identity_in_every_form_is_one_list() -> None:
    """Identity, its compact form and X-Identity are the same thing to a target."""
    response = answer("Identity: a.b.c;ppt=shaken", "y: d.e.f;ppt=div", "x-identity: g.h.i")

    assert response.carried.identities == ("a.b.c;ppt=shaken", "d.e.f;ppt=div", "g.h.i")


def test_only_configured_headers_are_copied() -> None:
    """What is not named in the configuration stays behind."""
    response = answer('P-Asserted-Identity: "[V] NAME" <sip:1@x>', "Reason: SIP;cause=302")

    assert response.carried.others == (("P-Asserted-Identity", '"[V] NAME" <sip:1@x>'),)


def test_configured_name_is_found_in_any_case() -> None:
    """Header field names are case-insensitive (RFC 3261 §7.3.1), on both sides."""
    carried, _ = carried_headers((("call-info", "<http://x>"),), ("CALL-Info",))

    assert carried.others == (("CALL-Info", "<http://x>"),)


def test_embedded_header_that_is_not_configured_never_passes() -> None:
    """A contact must not set a Route or a From (RFC 3261 §19.1.5)."""
    carried, faults = carried_headers(
        (("route", "<sip:evil>"), ("from", "<sip:x>"), ("identity", "a.b.c")), COPIED
    )

    assert carried == CarriedHeaders(("a.b.c",))
    assert faults == ()


def test_faults_of_all_parts_are_reported() -> None:
    """What was skipped can be logged."""
    response = answer("Contact: <http://x>", "Identity: ümlaut", status_line="SIP/2.0 302 Moved")

    assert len(response.faults) == 2
    assert response.contacts == ()
    assert response.carried.identities == ()


def test_value_over_a_sane_size_is_refused_and_reported() -> None:
    """A header field of that length helps nobody; its neighbours pass."""
    fits, too_long = f"<sip:{'1' * 8_185}>", f"<sip:{'1' * 8_187}>"

    response = answer(f"P-Asserted-Identity: {too_long}", f"P-Asserted-Identity: {fits}")

    assert response.carried.others == (("P-Asserted-Identity", fits),)
    assert response.faults == ("P-Asserted-Identity: longer than 8192 characters",)


def test_embedded_value_that_is_refused_is_reported() -> None:
    """By the contact's place in the response."""
    response = answer(f"Contact: <sip:1@a>, <sip:1@b?P-Asserted-Identity={'1' * 8_193}>")

    assert response.faults == ("contact 2: P-Asserted-Identity: longer than 8192 characters",)


def test_value_that_is_no_utf8_is_refused_and_reported() -> None:
    """SIP is UTF-8 (RFC 3261 §7), and Kamailio takes nothing else; what is embedded, too."""
    response = answer(
        'P-Asserted-Identity: "J\udce9" <sip:1@x>',
        "Contact: <sip:1@a?P-Asserted-Identity=%22J%E9%22%3Csip:1@x%3E>",
    )

    assert response.carried.others == ()
    assert response.faults == (
        "P-Asserted-Identity: no UTF-8",
        "contact 1: P-Asserted-Identity: no UTF-8",
    )
