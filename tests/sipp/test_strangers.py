"""What somebody who is not trusted sees of the proxy: nothing, over any transport."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inline_proxy.lab.message import encode
from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.raw_request import LARGEST, RawCaller, request
from sipp.sipp import Sipp
from sipp.tls_bridge import trusting
from sipp.waiting import wait_until

TRUSTED, UNTRUSTED = "127.0.0.1", "127.128.0.1"
METHODS = ("INVITE", "OPTIONS", "REGISTER", "CANCEL", "ACK", "BYE", "FOO")
SCANNERS = 5
"""Requests of each method that a scanner sends."""


@contextmanager
def connection(proxy: Proxy, transport: Transport, host: str) -> Iterator[socket.socket]:
    """A connection to the proxy from an address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as plain:
        plain.settimeout(10)
        plain.bind((host, 0))
        plain.connect(proxy.place(transport).endpoint)
        if transport == "tcp":
            yield plain
            return
        with trusting().wrap_socket(plain) as encrypted:
            yield encrypted


def text_of(method: str, proxy: Proxy, number: str, **changed: str) -> bytes:
    """A request over a connection."""
    text = request(method, number, proxy.place("tcp"), **changed)
    return encode(text.replace("SIP/2.0/UDP [sent-by]", "SIP/2.0/TCP 127.0.0.1:9"))


@pytest.mark.parametrize("tag", ["", ";tag=made-up"])
@pytest.mark.parametrize("method", ["OPTIONS", "INVITE", "BYE", "ACK"])
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_connection_of_a_stranger_is_closed_at_its_first_request(  # noqa: PLR0913 - three kinds
    proxy: Proxy, clearip: ClearIp, number: str, *, transport: Transport, method: str, tag: str
) -> None:
    """Without a byte of SIP, inside a pretended dialog too."""
    to = f"<sip:{number}@127.0.0.1>{tag}"
    with connection(proxy, transport, UNTRUSTED) as stranger:
        stranger.sendall(text_of(method, proxy, number, to=to))

        assert stranger.recv(LARGEST) == b""
    assert not clearip.received()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_connection_of_a_trusted_source_stays_open(
    proxy: Proxy, number: str, transport: Transport
) -> None:
    """Also after a request that is refused."""
    with connection(proxy, transport, TRUSTED) as switch:
        switch.sendall(text_of("BYE", proxy, number, to="<sip:a@b.example>;tag=made-up"))
        assert switch.recv(LARGEST).startswith(b"SIP/2.0 481 ")
        switch.sendall(text_of("OPTIONS", proxy, number))
        assert switch.recv(LARGEST).startswith(b"SIP/2.0 200 ")


def test_scanner_gets_not_one_byte(proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp) -> None:
    """A sweep over UDP is neither answered nor logged line by line, and all of it is counted."""
    proxy = proxy_with(clearip={"keepalive_s": 3597})  # its own: nobody else counts there
    nobody, place = sipp.play("nobody"), proxy.place("udp")
    sweep = [
        request(method, sipp.number, place, uri=nobody.uri, to=f"<{nobody.uri}>{tag}")
        for method in METHODS
        for tag in ("", ";tag=made-up")
        for _ in range(SCANNERS)
    ]
    with RawCaller(place, UNTRUSTED) as scanner, proxy.turning_away(len(sweep)):
        for text in sweep:
            scanner.send(text)
        hears_nothing = scanner.has_heard_nothing()

    assert hears_nothing
    assert proxy.count("strangers", "127.128.0.0/24") == len(sweep)
    wait_until(lambda: len(told_of(proxy)) >= 2, "the log tells of the first and the tenth")
    assert [line.partition("(request ")[2].split()[0] for line in told_of(proxy)] == ["1", "10"]
    assert nobody.is_silent
    assert not clearip.received()


def told_of(proxy: Proxy) -> list[str]:
    """The lines about requests that were not answered."""
    return [line for line in proxy.log().splitlines() if "is not a trusted source" in line]


@pytest.mark.parametrize("value", ["x\r\n\t0(1) CRITICAL: forged line", "a\x1b[2Jb", "x\x7fy"])
def test_call_id_writes_no_line_of_its_own_into_the_log(
    proxy: Proxy, number: str, value: str
) -> None:
    """Neither a line break, which folding allows, nor what a terminal would obey."""
    place = proxy.place("udp")
    call_id = f"{number}-{value}"

    with RawCaller(place) as caller:
        caller.send(request("OPTIONS", number, place, call_id=call_id))
        assert caller.hear_final().status == 400
        caller.send(request("REGISTER", number, place, call_id=f"{number}-next"))
        proxy.wait_for_log(f"{number}-next", "answered: 405")

    written = [line for line in proxy.log().splitlines() if number in line or "forged" in line]
    assert all("NOTICE: " in line.partition(number)[0] for line in written), written
    assert all(line.isprintable() for line in written), written
