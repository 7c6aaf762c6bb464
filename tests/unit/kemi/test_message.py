"""The head of a SIP message."""

import pytest
from hypothesis import given

from clearip_proxy.sip.faults import MAX_FAULTS
from clearip_proxy.sip.message import (
    MalformedMessage,
    SipResponse,
    is_framed,
    parse_headers,
    parse_response,
)
from unit.kemi.hostile_text import any_text

REDIRECT = (
    b"SIP/2.0 302 Moved Temporarily\r\n"
    b"v: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n"
    b"Contact : <sip:+14045550100@192.0.2.10>;q=0.99,\r\n"
    b"\t<sip:+14045550100@192.0.2.11>;q=0.98\r\n"
    b'P-Asserted-Identity: "Zo\xc3\xab \xff" <sip:+14045550199@192.0.2.9>\r\n'
    b"IDENTITY:one.two.three;info=<https://cert.example/a>\r\n"
    b"m:<sip:+14045550100@192.0.2.12>\r\n"
    b"y: four.five.six;info=<https://cert.example/b>\r\n"
    b"X-Empty:\r\n"
    b"Content-Length: 21\r\n"
    b"\r\n"
    b"Contact: <sip:body@x>\r\n"
)


def with_headers(*lines: str, end: str = "\r\n") -> SipResponse:
    """Parse a 302 made of header lines."""
    return parse_response(end.join(("SIP/2.0 302 Moved", *lines, "", "")))


def test_redirect_is_read_to_the_letter_and_in_order() -> None:
    """Values are as received, names canonical; folds are one space; the body is no header."""
    response = parse_response(REDIRECT)

    assert (response.status, response.reason_phrase) == (302, "Moved Temporarily")
    assert response.faults == ()
    assert response.headers == (
        ("via", "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1"),
        (
            "contact",
            "<sip:+14045550100@192.0.2.10>;q=0.99, <sip:+14045550100@192.0.2.11>;q=0.98",
        ),
        ("p-asserted-identity", '"Zoë \udcff" <sip:+14045550199@192.0.2.9>'),
        ("identity", "one.two.three;info=<https://cert.example/a>"),
        ("contact", "<sip:+14045550100@192.0.2.12>"),
        ("identity", "four.five.six;info=<https://cert.example/b>"),
        ("x-empty", ""),
        ("content-length", "21"),
    )


@pytest.mark.parametrize("name", ["Identity", "identity", "y", "Y"])
def test_values_join_long_and_compact_names_in_order(name: str) -> None:
    """Asking by either name gives the values under both, as they came."""
    assert parse_response(REDIRECT).values(name) == (
        "one.two.three;info=<https://cert.example/a>",
        "four.five.six;info=<https://cert.example/b>",
    )


def test_absent_header_has_no_values() -> None:
    """A header that was not sent is an empty tuple."""
    assert parse_response(REDIRECT).values("Reason") == ()


def test_str_with_escaped_bytes_reads_like_the_bytes() -> None:
    """The buffer as str with surrogate escapes gives what the bytes give."""
    assert parse_response(REDIRECT.decode("utf-8", "surrogateescape")) == parse_response(REDIRECT)


def test_bare_line_feeds_end_lines_too() -> None:
    """Lines that end in LF alone, folds among them, are read."""
    response = with_headers("x-a: 1,", "\t2", "x-b: 3", end="\n")

    assert response.headers == (("x-a", "1, 2"), ("x-b", "3"))


def test_mixed_line_ends_still_end_the_head() -> None:
    """An empty line ends the head whatever ends the line before it."""
    response = parse_response("SIP/2.0 302 Moved\r\nx-a: 1\n\r\nx-b: 2\r\n\r\n")

    assert response.headers == (("x-a", "1"),)


def test_head_cut_short_is_read_as_far_as_it_goes() -> None:
    """Without an empty line the head is all there is."""
    assert parse_response("SIP/2.0 302 Moved\r\nx-a: 1\r\nx-b: 2\r").headers == (
        ("x-a", "1"),
        ("x-b", "2"),
    )


@pytest.mark.parametrize(
    ("line", "status", "phrase"),
    [
        ("SIP/2.0 603 Network Blocked", 603, "Network Blocked"),
        ("SIP/2.0 603  two  spaces ", 603, " two  spaces "),
        ("SIP/2.0 603 Zoë\t\udcff", 603, "Zoë\t\udcff"),
        ("SIP/2.0 503 ", 503, ""),
        ("SIP/2.0 503", 503, ""),
        ("sip/2.0  100 Trying", 100, "Trying"),
        ("\r\n\r\nSIP/2.0 699 x", 699, "x"),
    ],
)
def test_status_line_is_read_to_the_letter(line: str, status: int, phrase: str) -> None:
    """The phrase keeps every blank and byte; it may be empty; empty lines may come first."""
    response = parse_response(f"{line}\r\nx-a: 1\r\n\r\n")

    assert (response.status, response.reason_phrase) == (status, phrase)
    assert response.headers == (("x-a", "1"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n\r\n",
        "INVITE sip:a@b SIP/2.0\r\n\r\n",
        "SIP/2.0 99 x",
        "SIP/2.0 700 x",
        "SIP/2.0 3020 x",
        "SIP/2.0 302x",
        "SIP/2.0 \uff1302 x",
        "SIP/3.0 302 x",
        " SIP/2.0 302 x",
    ],
)
def test_text_without_status_line_is_malformed(text: str) -> None:
    """Requests, other versions, statuses out of range and empty texts are no responses."""
    with pytest.raises(MalformedMessage, match="no status line"):
        parse_response(text)


def test_control_character_in_the_phrase_empties_it() -> None:
    """A phrase that could break a line is not passed on, and a fault says so."""
    response = parse_response("SIP/2.0 603 Bad\rX: 1\r\nx-a: 1\r\n\r\n")

    assert response.reason_phrase == ""
    assert response.headers == (("x-a", "1"),)
    assert response.faults == ("status line: control character in the reason phrase",)


def test_malformed_lines_are_skipped_and_reported() -> None:
    """The good lines round a malformed one are kept; the fault tells which it was, not what."""
    response = with_headers(
        "x-a: 1", "no colon", ": no name", "B b: 2", "x-c: a\rb", "x-d: \x00", "x-e: 5"
    )

    assert response.headers == (("x-a", "1"), ("x-e", "5"))
    assert response.faults == (
        "header line 2: no field name",
        "header line 3: no field name",
        "header line 4: no field name",
        "header line 5: control character in x-c",
        "header line 6: control character in x-d",
    )


def test_continuation_of_the_status_line_is_no_header() -> None:
    """A status line cannot be folded: what follows it with a blank is skipped."""
    response = with_headers(" more phrase", "x-a: 1")

    assert response.reason_phrase == "Moved"
    assert response.headers == (("x-a", "1"),)
    assert response.faults == ("header line 1: no field name",)


def test_blank_line_inside_the_head_is_no_fault() -> None:
    """A line of blanks folds into the line before it and changes nothing."""
    response = with_headers("x-a: 1", "  ", "x-b: 2")

    assert (response.headers, response.faults) == ((("x-a", "1"), ("x-b", "2")), ())


def test_many_faults_are_counted_not_listed() -> None:
    """A message of malformed lines yields a bounded number of faults."""
    faults = with_headers(*["x"] * 1000).faults

    assert len(faults) == MAX_FAULTS + 1
    assert faults[-1] == f"and {1000 - MAX_FAULTS} more"


def test_headers_of_a_request_are_read() -> None:
    """The first line is passed over, whatever it is."""
    fields = parse_headers(b"INVITE sip:a@b SIP/2.0\r\nf: <sip:c@d>\r\ny: one\r\n\r\n")

    assert fields.values("From") == ("<sip:c@d>",)
    assert fields.values("Identity") == ("one",)


@given(any_text)
def test_any_text_after_the_status_line_is_read(text: str) -> None:
    """No header text makes the parser raise, and no value can break a line."""
    response = parse_response("SIP/2.0 302 Moved\r\n" + text)

    assert response.status == 302
    assert not any(set(value) & set("\r\n\0") for _, value in response.headers)


@given(any_text)
def test_any_text_is_a_response_or_malformed(text: str) -> None:
    """Nothing but MalformedMessage is ever raised."""
    try:
        response = parse_response(text)
    except MalformedMessage:
        return
    assert 100 <= response.status <= 699


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("INVITE sip:1@x SIP/2.0\r\nA: b\r\n c\r\n\r\nline\nline\0", True),
        (b"INVITE sip:1@x SIP/2.0\r\nA: \xff\r\n\r\n\xff\n", True),
        ("\r\n\r\nINVITE sip:1@x SIP/2.0\r\nA: b\r\n\r\n", True),
        ("INVITE sip:1@x SIP/2.0\nA: b\n\n", False),
        ("INVITE sip:1@x SIP/2.0\r\nA: b\nC: d\r\n\r\n", False),
        ("INVITE sip:1@x SIP/2.0\r\nA: b\rC: d\r\n\r\n", False),
        ("INVITE sip:1@x SIP/2.0\r\nA: b\0\r\n\r\n", False),
        ("INVITE sip:1@x SIP/2.0\r\nA: b\r\n", False),
        ("INVITE sip:1@x SIP/2.0\r\nContent-Length : 004 \r\nA: b\r\n\r\nbody", True),
        ("INVITE sip:1@x SIP/2.0\r\nContent-Length:\r\n 4\r\n\r\nbody", False),
        ("INVITE sip:1@x SIP/2.0\r\nl: 4\r\n\t\r\nA: b\r\n\r\nbody", False),
    ],
)
def test_head_must_end_its_lines_by_the_letter(raw: str | bytes, *, expected: bool) -> None:
    """Of the body nothing is asked."""
    assert is_framed(raw) is expected
