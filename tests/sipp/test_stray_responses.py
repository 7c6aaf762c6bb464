"""Responses that answer nothing: nobody sends packets to others through the proxy with them."""

import pytest

from sipp.hosts import udp_socket
from sipp.proxy import Proxy
from sipp.raw_request import RawCaller, ask, request

STRANGER = "127.128.0.2"
VICTIM = ("127.0.0.77", 7777)


@pytest.mark.parametrize("status", ["200 OK", "183 Session Progress", "404 Not Found"])
def test_response_of_a_stranger_is_forwarded_to_nobody(
    proxy: Proxy, number: str, status: str
) -> None:
    """Its second Via leads where the stranger likes."""
    place = proxy.place("udp")
    victim = f"{VICTIM[0]}:{VICTIM[1]}"
    response = (
        f"SIP/2.0 {status}\r\n"
        f"Via: SIP/2.0/UDP {place.host_port};branch=z9hG4bK1\r\n"
        f"Via: SIP/2.0/UDP {victim};branch=z9hG4bK2\r\n"
        f"Record-Route: <sip:{place.host_port};lr;dialog=0123456789abcdef0123>\r\n"
        f"From: <sip:a@{victim}>;tag=a\r\nTo: <sip:b@{victim}>;tag=b\r\n"
        f"Call-ID: {number}-stray\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
    )
    with udp_socket(*VICTIM) as hearing, RawCaller(place, STRANGER) as stranger:
        stranger.send(response)
        proxy.wait_for_log(number, f"discarded: {status[:3]}")
        assert ask(place, request("OPTIONS", number, place)).status == 200
        hearing.settimeout(0)
        with pytest.raises(BlockingIOError):
            hearing.recv(100)
