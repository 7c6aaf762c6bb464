"""Responses to a query that do not come from ClearIP, whoever may have found out its branch."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inline_proxy.lab.message import encode
from sipp.clearip import SILENCE, ClearIp
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.tls_bridge import trusting

UNTRUSTED = "127.128.0.1"
GENUINE = 607


@contextmanager
def impostor(proxy: Proxy, transport: Transport, host: str) -> Iterator[socket.socket]:
    """Somebody who can reach the proxy, at another place than ClearIP's."""
    place = proxy.place(transport)
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as plain:
        plain.bind((host, 0))
        plain.connect(place.endpoint)
        if transport != "tls":
            yield plain
            return
        context = trusting()
        with context.wrap_socket(plain) as encrypted:
            yield encrypted


@pytest.mark.parametrize(
    ("transport", "host"),
    [("udp", "127.0.0.1"), ("udp", UNTRUSTED), ("tcp", "127.0.0.1"), ("tls", "127.0.0.1")],
)
def test_planted_response_changes_nothing(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport, host: str
) -> None:
    """Neither a 302 to a third party, nor ringing, nor an answer; the call takes its way."""
    nobody = sipp.play("nobody")
    clearip.says(GENUINE, "Unwanted")
    clearip.answers(SILENCE, at_site=1)
    caller = sipp.play("uac-refused", to=fresh_proxy)
    clearip.wait_for("INVITE")
    query = clearip.received("INVITE")[0]
    copied = "".join(
        f"{name}: {value}\r\n"
        for name in ("Via", "From", "Call-ID", "CSeq")
        for value in query.headers(name.lower())
    )
    with impostor(fresh_proxy, transport, host) as connection:
        for status in ("183 Ringing", "200 OK", "302 Moved", "603 Planted"):
            response = (
                f"SIP/2.0 {status}\r\n{copied}To: {query.header('to')};tag=planted\r\n"
                f"Contact: {nobody.at()}\r\nContent-Length: 0\r\n\r\n"
            )
            connection.sendall(encode(response))
            told = f"discarded: a {status[:3]} that did not come on a verified connection"
            fresh_proxy.wait_for_log(sipp.number, told)

    assert all_succeeded(caller)
    assert caller.statuses == [100, GENUINE]
    assert nobody.is_silent
