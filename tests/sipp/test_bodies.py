"""Bodies are carried and never read: to ClearIP and to the target, to the octet."""

import socket

import pytest

from inline_proxy.lab.message import decode
from sipp.clearip import ClearIp
from sipp.hosts import udp_socket
from sipp.proxy import Proxy
from sipp.raw_request import LARGEST, PATIENCE_S, RawCaller, request
from sipp.sipp import Sipp

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
ISUP = bytes(range(256))
"""An ISUP message is binary (RFC 3204 §3.1); this has every octet that there is."""
MULTIPART = b"".join(
    (
        b"--part\r\nContent-Type: application/sdp\r\n\r\n" + SDP,
        b"\r\n--part\r\nContent-Type: application/isup;version=itu-t92+\r\n"
        b"Content-Disposition: signal;handling=optional\r\n\r\n" + ISUP,
        b"\r\n--part--\r\n",
    )
)
BODIES = {
    "sdp": ("application/sdp", SDP),
    "isup": ("application/isup;version=itu-t92+", ISUP),
    "multipart": ("multipart/mixed;boundary=part", MULTIPART),
    "looks-like-sip": ("message/sip", b"SIP/2.0 302 Moved\r\nContact: <sip:x@192.0.2.9>\r\n\r\n"),
    "line-feeds": ("text/plain", b"\n\n\r\r\n\0\n"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_body_arrives_as_it_was_sent(proxy: Proxy, clearip: ClearIp, sipp: Sipp, kind: str) -> None:
    """Whatever it holds, and whatever it says it is."""
    content_type, body = BODIES[kind]
    place = sipp.vacancy()
    clearip.redirects_to(f"<sip:{sipp.number}@{place.host_port}>")
    invite = request(
        "INVITE",
        sipp.number,
        proxy.place("udp"),
        f"Content-Type: {content_type}",
        content_length=str(len(body)),
    )

    with udp_socket(place.host, place.port) as target, RawCaller(proxy.place("udp")) as caller:
        caller.send(invite + decode(body))
        received = heard_by(target)

    assert received.startswith(f"INVITE sip:{sipp.number}@".encode())
    assert received.partition(b"\r\n\r\n")[2] == body
    assert f"\r\nContent-Type: {content_type}\r\n".encode() in received
    assert clearip.invite.body == decode(body).replace("\r\n", "\n")  # as the lab reads bodies


def heard_by(target: socket.socket) -> bytes:
    """The next datagram."""
    target.settimeout(PATIENCE_S)
    return target.recv(LARGEST)
