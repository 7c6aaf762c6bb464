"""Every message of RFC 4475 and RFC 5118: answered as it must be, and the proxy lives on."""

import socket

import pytest

from inline_proxy.lab.message import Message, decode
from sipp.clearip import ClearIp
from sipp.hosts import udp_socket
from sipp.proxy import Proxy
from sipp.raw_request import LARGEST, ask, request
from sipp.sipp import Sipp
from sipp.torture.message import Torture
from sipp.torture.rfc4475_invalid import INVALID
from sipp.torture.rfc4475_other import OTHER
from sipp.torture.rfc4475_valid import VALID
from sipp.torture.rfc5118 import IPV6

SIP_PORT = 5060
ROUNDS = 8
"""Requests after the torture: every one of the workers has taken a turn by then."""


@pytest.mark.parametrize(
    "torture", [*VALID, *INVALID, *OTHER, *IPV6], ids=lambda torture: f"{torture.name}"
)
def test_torture_message_gets_its_treatment(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, torture: Torture
) -> None:
    """The right answer or silence; ClearIP is asked about calls alone; the next request works."""
    clearip.says(603, "Decline")
    place = proxy.place("udp")
    address = address_of(sipp.number)
    with udp_socket(address, SIP_PORT) as switch:
        sent = torture.text_for(sipp.number, f"{address}:{SIP_PORT}")
        switch.sendto(sent, place.endpoint)
        if torture.treatment.status is not None:
            assert final(switch).status == torture.treatment.status
        for _ in range(ROUNDS):
            assert ask(place, request("OPTIONS", sipp.number, place)).status == 200
        switch.settimeout(0)
        with pytest.raises(BlockingIOError):
            raise AssertionError(switch.recv(LARGEST))

    assert bool(clearip.received("INVITE")) == torture.treatment.asks_clearip


def address_of(number: str) -> str:
    """A switch's address for one test: a Via without port is answered at the port of SIP."""
    return f"127.44.{number[-4:-2].lstrip('0') or 0}.{int(number[-2:]) + 1}"


def final(switch: socket.socket) -> Message:
    """The next final response."""
    while (message := Message.parse(decode(switch.recv(LARGEST)))).status < 200:
        pass
    return message
