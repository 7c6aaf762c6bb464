"""What a trace shows of a message, and what it hides."""

import pytest

from inline_proxy.tracing.traced_message import call_id_of, numbers_of, shown
from inline_proxy.tracing.wanted import Wanted

INVITE = (
    "INVITE sip:+14705550100@192.0.2.1 SIP/2.0\r\n"
    "Record-Route: <sip:192.0.2.9;lr;dialog=0a1b2c.switch>\r\n"
    'From: "A" <sip:+14045550199@192.0.2.1>;tag=x\r\n'
    "To: <sip:+14705550100@192.0.2.1>\r\n"
    "Call-ID: 14705550100-1@192.0.2.1\r\n"
    "CSeq: 1 INVITE\r\n"
    'Proxy-Authorization: Digest username="u", response="r"\r\n'
    "Identity: eyJhbGciOiJFUzI1NiJ9.eyJkZXN0Ijp7fX0.c2lnbmF0dXJl;info=<https://x>\r\n"
    "Content-Length: 60\r\n\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0a2V5\r\n"
)


@pytest.mark.parametrize(
    "secret", ["0a1b2c.switch", 'username="u"', 'response="r"', "c2VjcmV0a2V5"]
)
def test_secret_is_hidden_by_as_many_asterisks(secret: str) -> None:
    """Content-Length stays true."""
    text = shown(INVITE, mask_numbers=False)

    assert secret in INVITE
    assert secret not in text
    assert len(text) == len(INVITE)
    assert "eyJkZXN0Ijp7fX0.c2lnbmF0dXJl" in text


def test_masked_message_shows_no_number_but_in_its_call_id() -> None:
    """Not in the claims of a PASSporT either, which hold both."""
    text = shown(INVITE, mask_numbers=True)

    assert text.count("14705550100") == 1
    assert "14045550199" not in text
    assert "sip:+14705xxxxxx@" in text
    assert "eyJkZXN0Ijp7fX0" not in text
    assert "Call-ID: 14705550100-1@192.0.2.1\r\n" in text


@pytest.mark.parametrize("line", ["Call-ID: a@b", "i:a@b", "CALL-ID :\ta@b"])
def test_call_id_is_found_in_every_form(line: str) -> None:
    """Compact too, and not in a body."""
    assert call_id_of(f"BYE sip:x SIP/2.0\r\n{line}\r\n\r\n") == "a@b"
    assert call_id_of(f"BYE sip:x SIP/2.0\r\n\r\n{line}\r\n") == ""


def test_numbers_are_those_of_both_sides() -> None:
    """Request-URI, From and To; tel URIs as well."""
    assert set(numbers_of(INVITE)) == {"+14705550100", "+14045550199"}
    assert numbers_of("SIP/2.0 200 OK\r\nf: <tel:+1404>;tag=a\r\n\r\n") == ("+1404",)


@pytest.mark.parametrize(
    ("wanted", "is_wanted"),
    [
        (None, True),
        ("+14705550100", True),
        ("5550199", True),
        ("14705550100-1@192.0.2.1", True),
        ("555019", False),
        ("another@192.0.2.1", False),
    ],
)
def test_message_is_wanted_by_number_or_call_id(wanted: str | None, *, is_wanted: bool) -> None:
    """A number by its last digits, a Call-ID as a whole."""
    assert (INVITE.encode() in Wanted(wanted)) == is_wanted


def test_later_messages_of_a_wanted_call_are_wanted() -> None:
    """A BYE after which a target has put itself into the URIs."""
    wanted = Wanted("+14705550100")
    bye = b"BYE sip:x SIP/2.0\r\nFrom: <sip:y>\r\nCall-ID: 14705550100-1@192.0.2.1\r\n\r\n"

    assert bye not in wanted
    assert INVITE.encode() in wanted
    assert bye in wanted


def test_what_looks_after_connections_is_no_call() -> None:
    """The OPTIONS that pass all the time."""
    assert b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nCall-ID: a\r\n\r\n" not in Wanted(None)
