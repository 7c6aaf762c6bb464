"""SIP messages as the lab reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inline_proxy.lab.message import LARGEST_HEAD, Framer, FramingError, Message, decode, encode

INVITE = (
    "INVITE sip:+14045550101@sip.clearip.com SIP/2.0\r\n"
    "v: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n"
    "Via: SIP/2.0/UDP 192.0.2.2;rport;branch=z9hG4bK2\r\n"
    "CSeq: 7 INVITE\r\n"
    "Subject: a\r\n  b\r\n"
    "l: 4\r\n"
    "\r\n"
    "v=0\n"
)


def test_request_is_read() -> None:
    """Start line, headers in long form and unfolded, body."""
    message = Message.parse(INVITE)

    assert (message.is_request, message.method, message.status) == (True, "INVITE", 0)
    assert message.request_uri == "sip:+14045550101@sip.clearip.com"
    assert len(message.headers("VIA")) == 2
    assert message.branch == "z9hG4bK1"
    assert message.header("subject") == "a b"
    assert message.header("x-none") == ""
    assert message.body == "v=0\n"


def test_response_is_read() -> None:
    """The method is that of CSeq; the phrase may have blanks."""
    message = Message.parse("SIP/2.0 302 Moved Temporarily\r\nCSeq: 7 INVITE\r\n\r\n")

    assert (message.is_request, message.method, message.status) == (False, "INVITE", 302)
    assert message.reason_phrase == "Moved Temporarily"
    assert message.request_uri == ""
    assert message.branch == ""


@pytest.mark.parametrize(
    "text", ["", "SIP/2.0", "SIP/2.0 many OK", "INVITE", "INVITE\r\nno header"]
)
def test_nonsense_is_read_as_far_as_it_goes(text: str) -> None:
    """The lab takes down whatever arrives."""
    message = Message.parse(text)

    assert (message.status, message.request_uri, message.fields) == (0, "", ())


@given(st.lists(st.integers(1, 40)))
def test_stream_cut_anywhere_gives_the_same_messages(sizes: list[int]) -> None:
    """However TCP cuts the stream, the messages are those that were sent."""
    stream = (INVITE + "\r\n\r\n" + INVITE).encode()
    framer, messages = Framer(), []
    for size in [*sizes, len(stream)]:
        messages += framer.feed(stream[:size])
        stream = stream[size:]

    assert messages == [INVITE.encode()] * 2


@given(st.binary())
def test_any_bytes_survive_decoding(raw: bytes) -> None:
    """What is no UTF-8 is kept in the record as it was."""
    assert encode(decode(raw)) == raw


def test_endless_head_is_refused() -> None:
    """A stream without an empty line is no SIP."""
    with pytest.raises(FramingError, match="no end"):
        Framer().feed(b"x" * (LARGEST_HEAD + 1))


def test_content_length_that_is_no_number_is_refused() -> None:
    """Where the next message begins is not known."""
    with pytest.raises(FramingError, match="'-1'"):
        Framer().feed(b"INVITE a SIP/2.0\r\nContent-Length: -1\r\n\r\n")
