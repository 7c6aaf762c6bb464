"""A trace on a terminal: rows of a ladder that grows."""

import pytest

from inline_proxy.tracing.screen import GrowingLadder
from inline_proxy.tracing.traced_message import TracedMessage

HEADERS = "\r\nCall-ID: a@b\r\nCSeq: 1 INVITE\r\n\r\n"


def row(sender: str, receiver: str, first_line: str) -> str:
    """The row of one message."""
    ends = {"source": "192.0.2.1:5060", "destination": "192.0.2.2:5060"}
    message = TracedMessage(
        at_s=0, transport="udp", sender=sender, receiver=receiver, call_id="a@b",
        text=first_line + HEADERS, **ends,
    )  # fmt: skip
    return GrowingLadder().row(message).text


@pytest.mark.parametrize(
    ("sender", "receiver", "first_line"),
    [
        ("caller", "proxy", "INVITE sip:1@192.0.2.1 SIP/2.0"),
        ("ClearIP", "proxy", "SIP/2.0 302 Moved Temporarily"),
        ("target", "proxy", f"SIP/2.0 503 {'Service ' * 20}"),
        ("proxy", "caller", "SIP/2.0 480 Temporarily Unavailable For Now"),
    ],
)
def test_columns_stay_where_they_are(sender: str, receiver: str, first_line: str) -> None:
    """However long a phrase is: it is cut, and stands in full in the message below."""
    reference = row("caller", "proxy", "ACK sip:1@192.0.2.1 SIP/2.0")
    lanes = [place for place, letter in enumerate(reference) if letter == "│"]

    drawn = row(sender, receiver, first_line)

    found = [place for place, letter in enumerate(drawn) if letter == "│"]
    assert set(found) <= set(lanes)  # an arrow passes over those between its ends
    assert (found[0], found[-1], len(lanes)) == (lanes[0], lanes[-1], 4)


def test_phrase_that_fits_is_whole() -> None:
    """As that of a redirection, between two neighbours."""
    assert "302 Moved Temporarily" in row("ClearIP", "proxy", "SIP/2.0 302 Moved Temporarily")
    assert "480 Temporarily Unav…" in row("proxy", "caller", "SIP/2.0 480 Temporarily Unavailable")
