"""SIPp's message files."""

from datetime import datetime
from pathlib import Path

from inline_proxy.lab.sipp_trace import parse_trace, read_trace

TRACE = """\
----------------------------------------------- 2026-03-01 00:09:45.265480
UDP message sent (506 bytes):

INVITE sip:1@127.0.0.1 SIP/2.0\r
Content-Length:   5\r
\r
v=0\r

----------------------------------------------- 2026-03-01 00:09:45.265803
TCP message received [305] bytes :

SIP/2.0 200 OK\r
\r

"""


def test_messages_are_cut_out_whole() -> None:
    """Line ends and body as on the wire; without the empty line that SIPp adds."""
    sent, received = parse_trace(TRACE)

    assert sent.text == "INVITE sip:1@127.0.0.1 SIP/2.0\r\nContent-Length:   5\r\n\r\nv=0\r\n"
    assert (sent.direction, received.direction) == ("sent", "received")
    assert received.text == "SIP/2.0 200 OK\r\n\r\n"


def test_remark_of_sipp_is_no_part_of_a_message() -> None:
    """It repeats a message that it does not expect, below a separator without a time."""
    remark = "-" * 47 + "\nUnexpected UDP message received:\n\nBYE sip:1@a SIP/2.0\r\n\r\n\n"
    first, second = TRACE.split("-" * 47)[1:]

    assert parse_trace(f"{'-' * 47}{first}{remark}{'-' * 47}{second}") == parse_trace(TRACE)


def test_time_is_local() -> None:
    """SIPp writes no zone."""
    sent, received = parse_trace(TRACE)

    assert sent.time == datetime(2026, 3, 1, 0, 9, 45, 265480).astimezone().timestamp()
    assert round(received.time - sent.time, 6) == 0.000323


def test_nothing_traced_yet_is_no_message(tmp_path: Path) -> None:
    """A carrier that nobody called has an empty file, or none."""
    assert parse_trace("") == []
    assert read_trace(tmp_path / "none.messages") == []


def test_file_is_read_with_its_line_ends(tmp_path: Path) -> None:
    """Bytes, not lines of text; what is no UTF-8 does not stop it."""
    path = tmp_path / "one.messages"
    path.write_bytes(TRACE.encode().replace(b"v=0", b"v=\xff"))

    assert read_trace(path)[0].text.endswith("\r\n\r\nv=\udcff\r\n")
