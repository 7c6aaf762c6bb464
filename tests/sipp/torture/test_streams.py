"""Requests that arrive in pieces, or never whole: assembled, or forgotten without a trace."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sipp.clearip import ClearIp
from sipp.hosts import tcp_socket
from sipp.place import Place, Transport
from sipp.proxy import Proxy
from sipp.raw_request import LARGEST, RawCaller, ask, request
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.tls_bridge import trusting
from sipp.torture.vitals import Vitals

SWITCH = "127.45.0.1"
PATIENCE_S = 10
MANY_HEADERS = 200
LARGE_BYTES = 64 * 1024


@contextmanager
def stream_to(place: Place) -> Iterator[socket.socket]:
    """A connection over which every piece is sent by itself."""
    with tcp_socket(SWITCH) as plain:
        plain.settimeout(PATIENCE_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.connect(place.endpoint)
        if place.transport == "tls":
            with trusting().wrap_socket(plain) as stream:
                yield stream
        else:
            yield plain


def over_stream(method: str, number: str, place: Place, *lines: str, body: bytes = b"") -> bytes:
    """A request for a connection."""
    text = request(method, number, place, *lines, content_length=str(len(body)))
    sent_by = f"{place.transport.upper()} {SWITCH}"
    return text.replace("UDP [sent-by]", sent_by).encode() + body


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_stream_that_ends_at_any_byte_of_a_call_is_no_call(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """ClearIP hears nothing, no worker is lost, and the next call is answered."""
    vitals, place = Vitals.of(proxy), proxy.place(transport)
    invite = over_stream("INVITE", sipp.number, place)

    for end in range(1, len(invite)):
        with stream_to(place) as stream:
            stream.sendall(invite[:end])
    assert ask(proxy.place("udp"), request("OPTIONS", sipp.number, place)).status == 200

    assert not clearip.received()
    vitals.prove_alive()
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    assert all_succeeded(sipp.play("uac-answered", to=proxy, transport=transport), target)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_request_in_two_pieces_cut_at_any_byte_is_answered(
    proxy: Proxy, number: str, transport: Transport
) -> None:
    """All on one connection: a cut that were taken wrongly would spoil what follows."""
    place = proxy.place(transport)
    options = over_stream("OPTIONS", number, place)

    with stream_to(place) as stream:
        for cut in range(1, len(options)):
            stream.sendall(options[:cut])
            stream.sendall(options[cut:])
            assert stream.recv(LARGEST).startswith(b"SIP/2.0 200 ")


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_call_with_very_many_headers_is_a_call(
    proxy: Proxy, clearip: ClearIp, number: str, transport: Transport
) -> None:
    """Headers that nobody knows are carried, however many there are."""
    clearip.says(603, "Decline")
    place = proxy.place(transport)
    lines = [f"X-Unknown-{index}: value {index}" for index in range(MANY_HEADERS)]

    with stream_to(place) as stream:
        stream.sendall(over_stream("INVITE", number, place, *lines))
        assert final_status(stream) == 603

    for line in lines:
        name, _, value = line.partition(": ")
        assert clearip.invite.headers(name.lower()) == [value]


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_message_larger_than_any_call_ends_its_connection_alone(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """More than a connection's buffer takes: nobody hears of it, and the next call works."""
    vitals, place = Vitals.of(proxy), proxy.place(transport)

    too_large = over_stream("INVITE", sipp.number, place, body=b"x" * LARGE_BYTES)
    with stream_to(place) as stream, pytest.raises((OSError, EndOfStream)):
        answer_to(too_large, stream)

    assert not clearip.received()
    vitals.prove_alive()
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    assert all_succeeded(sipp.play("uac-answered", to=proxy, transport=transport), target)


def test_largest_datagram_kills_nobody(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """It is a call like any other, and is answered as ClearIP says."""
    clearip.says(603, "Decline")
    place = proxy.place("udp")
    invite = request("INVITE", sipp.number, place, content_length="60000") + "x" * 60_000

    with RawCaller(place) as caller:
        # Two of them fill the proxy's socket: like any caller, this one sends again (timer A).
        for _ in range(10):
            caller.send(invite)
            if caller.hears_within(1):
                break
        assert caller.hear_final().status == 603
    assert len(clearip.invite.body) == 60_000


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_message_over_32_kilobytes_is_a_call(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """Newer Kamailios drop it without a word, unless told otherwise."""
    clearip.says(603, "Decline")
    place = proxy.place(transport)

    with stream_to(place) as stream:
        invite = over_stream("INVITE", sipp.number, place, body=b"x" * 40_000)
        assert answer_to(invite, stream) == 603
    assert len(clearip.invite.body) == 40_000


def answer_to(text: bytes, stream: socket.socket) -> int:
    """Send a request; the status of its final response."""
    stream.sendall(text)
    return final_status(stream)


class EndOfStream(Exception):
    """The proxy has closed the connection."""


def final_status(stream: socket.socket) -> int:
    """The status of the next final response; raises `EndOfStream`."""
    heard = b""
    while True:
        if not (piece := stream.recv(LARGEST)):
            raise EndOfStream
        heard += piece
        for line in heard.split(b"\r\n"):
            if line.startswith(b"SIP/2.0 ") and not line.startswith(b"SIP/2.0 1"):
                return int(line.split(b" ")[1])
