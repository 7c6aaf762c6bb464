"""The 503 that a query gets when its connection is lost."""

import hashlib

import pytest

from clearip_proxy.sip.message import parse_response
from clearip_proxy.sites.lost_calls import MARK, Waiting, lost

INVITE = (
    "INVITE sip:+15551234567@192.0.2.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 198.51.100.7:5070;rport;branch=z9hG4bKabc, SIP/2.0/UDP a.example\r\n"
    'From: "A; tag=x" <sip:a@example.net;tag=no>;x=y;tag=77\r\n'
    "To: <sip:b@example.net>\r\n"
    "Call-ID:  1@example.net \r\n"
    "CSeq: 102 INVITE\r\n"
    "\r\n"
)


def key(*parts: str) -> str:
    """What tm knows a transaction by."""
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


KEY = key(
    "77", "1@example.net", "sip:+15551234567@192.0.2.1", "102", "198.51.100.7", "5070", "z9hG4bKabc"
)


def test_response_is_one_to_the_branch_that_waits() -> None:
    """Numbers are written the last digit first, as tm does."""
    (text,) = lost(Waiting(7, 0x1A2F, 1, INVITE))

    response = parse_response(text)
    assert response.status == 503
    assert response.values("Via") == (f"SIP/2.0/TLS localhost;branch=z9hG4bKf2a1.{KEY}.0",)
    assert response.values("Call-ID") == ("1@example.net",)
    assert response.values("CSeq") == ("102 INVITE",)
    assert response.values(MARK) == ("7",)
    assert text.endswith("\r\nContent-Length: 0\r\n\r\n")


def test_call_with_several_branches_gets_a_response_for_each() -> None:
    """Those that have ended take none."""
    branches = [
        parse_response(text).values("Via")[0][-1] for text in lost(Waiting(7, 1, 3, INVITE))
    ]

    assert branches == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("request_via", "parts"),
    [
        ("SIP/2.0/TCP [2001:db8::1];branch=z9hG4bKx", ("[2001:db8::1]", "", "z9hG4bKx")),
        ("SIP / 2.0 / UDP host.example : 5062", ("host.example", "5062", "")),
    ],
)
def test_topmost_via_is_read_in_every_form(request_via: str, parts: tuple[str, ...]) -> None:
    """The compact names of header fields as well."""
    names = f"v: {request_via}\nf: sip:a@b;tag=1\nt: x\ni: c\nCSeq: 1 INVITE\n\n"
    invite = f"INVITE sip:1@a SIP/2.0\n{names}"

    (text,) = lost(Waiting(7, 1, 1, invite))

    assert key("1", "c", "sip:1@a", "1", *parts) in text


@pytest.mark.parametrize("missing", ["Via", "From", "Call-ID", "CSeq", "INVITE"])
def test_request_without_what_it_is_known_by_gets_none(missing: str) -> None:
    """It waits until its time is over."""
    request = "".join(
        f"{line}\r\n" for line in INVITE.split("\r\n") if not line.startswith(missing)
    )

    assert lost(Waiting(7, 1, 1, request)) == ()


def test_via_that_is_none_gets_none() -> None:
    """Kamailio would not have taken such a request."""
    assert lost(Waiting(7, 1, 1, INVITE.replace("SIP/2.0/UDP", "smoke"))) == ()


def test_query_that_was_written_is_read_again() -> None:
    """The shared table holds texts."""
    waiting = Waiting(7, 9, 2, INVITE)

    assert Waiting.from_text(waiting.to_text()) == waiting
