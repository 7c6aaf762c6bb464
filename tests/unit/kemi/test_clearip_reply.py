"""What of a ClearIP site's responses counts, and as what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.clearip_reply import (
    TELLING_HEADERS,
    as_bad_gateway,
    hidden_from_caller,
    is_for_the_caller,
    taken_as,
)
from clearip_proxy.sip.message import parse_response

ACCEPTED = """SIP/2.0 200 OK
Via: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1
v: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2
f: <sip:1@x>;tag=a
To: <sip:2@y>;tag=b
i: call-1
CSeq: 1 INVITE
Contact: <sip:52.223.0.89>
Record-Route: <sip:52.223.0.89;lr>
Content-Length: 3

v=0""".replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("status", "counts_as"),
    [(100, 100), (101, 100), (180, 100), (199, 100), (200, 502), (299, 502), (300, 300)],
)
def test_ringing_is_a_100_and_acceptance_a_502(status: int, counts_as: int) -> None:
    """A redirect server does neither."""
    assert taken_as(status) == counts_as


@given(st.integers(300, 699))
def test_redirection_and_failure_count_as_they_are(status: int) -> None:
    """They are what a redirect server is for."""
    assert taken_as(status) == status


TELLING = """SIP/2.0 603 Decline
Via: SIP/2.0/UDP 192.0.2.9
To: <sip:2@sip.clearip.com>;tag=b
Error-Info: <https://www.ClearIP.com/why>
X-Route: 198.51.100.7
x-route: 198.51.100.8
Reason: SIP;cause=603;text="v=analytics1;url=https://clearip.com/why"
Alert-Info: <https://sounds.example/busy>

""".replace("\n", "\r\n")
HOSTS = ("clearip.com", "198.51.100.7")


@pytest.mark.parametrize("status", [400, 603])
def test_what_may_be_relayed_loses_what_tells_of_clearip(status: int) -> None:
    """By its name or by its value; what the response needs, and the reason, stay."""
    hidden = hidden_from_caller(status, lambda: TELLING, HOSTS)

    assert hidden == (*TELLING_HEADERS, "error-info", "x-route")


def test_redirection_is_not_looked_into() -> None:
    """It is never relayed, and every call brings one."""
    assert hidden_from_caller(302, lambda: pytest.fail("it was read"), HOSTS) == ()


def test_accepted_call_becomes_a_502_of_the_same_transaction() -> None:
    """Via, From, To, Call-ID and CSeq to the letter; no Contact, no route, no body."""
    made = parse_response(as_bad_gateway(ACCEPTED))

    assert (made.status, made.reason_phrase) == (502, "Bad Gateway")
    assert made.headers == (
        ("via", "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1"),
        ("via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2"),
        ("from", "<sip:1@x>;tag=a"),
        ("to", "<sip:2@y>;tag=b"),
        ("call-id", "call-1"),
        ("cseq", "1 INVITE"),
        ("reason", 'SIP;cause=502;text="ClearIP accepted the call"'),
        ("content-length", "0"),
    )


def test_name_that_is_no_utf8_does_not_keep_the_502_away() -> None:
    """Kamailio takes texts only."""
    raw = ACCEPTED.replace("<sip:1@x>", '"J\udcff" <sip:1@x>')

    assert 'From: "J?" <sip:1@x>;tag=a' in as_bad_gateway(raw)


@pytest.mark.parametrize(
    ("status", "is_from_clearip", "is_credible", "expected"),
    [
        (200, False, True, True),
        (503, False, True, True),
        (302, False, True, False),
        (200, True, True, False),
        (200, False, False, False),
    ],
)
def test_late_answer_of_clearip_is_for_nobody(
    status: int, *, is_from_clearip: bool, is_credible: bool, expected: bool
) -> None:
    """A late response of a target may still be of use, unless it redirects or proves nothing."""
    assert (
        is_for_the_caller(status, is_from_clearip=is_from_clearip, is_credible=is_credible)
        is expected
    )
