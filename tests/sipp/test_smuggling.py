"""A request inside of another's body: one message arrives at ClearIP, or none, and never two.

All calls share the connection to ClearIP. Were the proxy to read a body's length in one way and
ClearIP in another, a caller could put words into other calls' mouths.
"""

import socket
from contextlib import suppress

import pytest

from inline_proxy.lab.message import decode
from sipp.clearip import ClearIp
from sipp.hosts import tcp_socket
from sipp.place import Place
from sipp.proxy import Proxy
from sipp.raw_request import LARGEST, RawCaller, ask, request
from sipp.sipp import Sipp

SWITCH = "127.49.0.1"
LENGTHS = {
    "honest": ("Content-Length: {all}",),
    "zeros-before": ("Content-Length: 000{all}",),
    "space-before-colon": ("Content-Length : {all}",),
    "folded": ("Content-Length:\r\n {all}",),
    "folded-behind": ("Content-Length: {all}\r\n ",),
    "none-then-all": ("Content-Length: 0", "Content-Length: {all}"),
    "all-then-none": ("Content-Length: {all}", "Content-Length: 0"),
    "compact-then-full": ("l: {all}", "Content-Length: 0"),
    "full-then-compact": ("Content-Length: 0", "l: {all}"),
    "list": ("Content-Length: {all}, 0",),
    "signed": ("Content-Length: +{all}",),
    "hexadecimal": ("Content-Length: 0x10",),
    "in-two": ("Content-Length: 2 15",),
    "chunked": ("Transfer-Encoding: chunked", "Content-Length: {all}"),
    "missing": (),
}


FIRST_IS_SHORT = {"none-then-all", "full-then-compact", "in-two"}


def hidden(number: str) -> str:
    """A call of somebody else's making, as a body."""
    lines = (
        f"INVITE sip:{number}@hidden.example SIP/2.0",
        "Via: SIP/2.0/TLS hidden.example;branch=z9hG4bKhidden",
        "From: <sip:hidden@hidden.example>;tag=hidden",
        f"To: <sip:{number}@hidden.example>",
        f"Call-ID: {number}-hidden",
        "CSeq: 1 INVITE",
        "Max-Forwards: 70",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", ""))


def carrier(number: str, place: Place, lengths: tuple[str, ...]) -> str:
    """The call whose body that is."""
    body = hidden(number)
    lines = [line.format(all=len(body)) for line in lengths]
    return request("INVITE", number, place, *lines, content_length="") + body


def assert_nothing_hidden_came_out(clearip: ClearIp, number: str) -> None:
    """Each message that ClearIP read is framed as the proxy meant it."""
    for message in clearip.received():
        assert message.header("call-id") == f"{number}-raw"
        assert len(message.headers("content-length")) == 1
        assert message.header("content-length").isdecimal()
    assert len({m.header("cseq") for m in clearip.received("INVITE")}) <= 1


@pytest.mark.parametrize("kind", LENGTHS)
def test_body_of_a_datagram_is_no_call(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, kind: str
) -> None:
    """It is carried or refused, whatever is said of its length."""
    clearip.says(603, "Decline")
    place = proxy.place("udp")

    with RawCaller(place, SWITCH) as switch:
        switch.send(carrier(sipp.number, place, LENGTHS[kind]))
        assert ask(place, request("OPTIONS", sipp.number, place)).status == 200
        if kind in {"honest", "zeros-before", "space-before-colon", "chunked", "missing"}:
            assert switch.hear_final().status == 603

    assert_nothing_hidden_came_out(clearip, sipp.number)


@pytest.mark.parametrize("kind", sorted(LENGTHS.keys() - FIRST_IS_SHORT))
def test_body_on_a_connection_is_no_call(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, kind: str
) -> None:
    """Where two lengths are given, what the first one leaves is the caller's own next request.

    That one is the switch's as much as any, and is left out here.
    """
    clearip.says(603, "Decline")
    place = proxy.place("tcp")
    text = carrier(sipp.number, place, LENGTHS[kind]).replace("UDP [sent-by]", f"TCP {SWITCH}")

    with tcp_socket(SWITCH) as switch:
        switch.connect(place.endpoint)
        switch.sendall(text.encode())
        heard = until_final_or_end(switch, is_answered=kind in {"honest", "zeros-before"})

    assert "hidden" not in heard
    assert_nothing_hidden_came_out(clearip, sipp.number)
    assert ask(proxy.place("udp"), request("OPTIONS", sipp.number, place)).status == 200


def until_final_or_end(switch: socket.socket, *, is_answered: bool) -> str:
    """Everything up to a final response, or up to the end of the connection."""
    heard = ""
    if not is_answered:
        switch.shutdown(socket.SHUT_WR)
    with suppress(OSError):
        while "SIP/2.0 603" not in heard and (piece := switch.recv(LARGEST)):
            heard += decode(piece)
    assert not is_answered or "SIP/2.0 603" in heard
    return heard
