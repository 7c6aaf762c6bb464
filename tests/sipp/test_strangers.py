"""What somebody who is not trusted sees of the proxy: nothing, over any transport."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inline_proxy.lab.message import encode
from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.hosts import udp_socket
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.raw_request import LARGEST, RawCaller, ask, request
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.tls_bridge import trusting
from sipp.torture.message import Torture
from sipp.torture.rfc4475_invalid import INVALID
from sipp.torture.rfc4475_other import OTHER
from sipp.torture.rfc4475_valid import VALID
from sipp.torture.rfc5118 import IPV6
from sipp.waiting import wait_until

TRUSTED, UNTRUSTED = "127.0.0.1", "127.128.0.1"
METHODS = ("INVITE", "OPTIONS", "REGISTER", "CANCEL", "ACK", "BYE", "FOO")
SCANNERS = 5
"""Requests of each method that a scanner sends."""


SIP_PORT = 5060


@pytest.mark.parametrize(
    "torture", [*VALID, *INVALID, *OTHER, *IPV6], ids=lambda torture: torture.name
)
def test_stranger_gets_no_answer_to_torture(
    proxy: Proxy, clearip: ClearIp, number: str, torture: Torture
) -> None:
    """What makes a 400 for a switch makes nothing for anybody else."""
    place = proxy.place("udp")
    with udp_socket(UNTRUSTED, SIP_PORT) as stranger:
        stranger.sendto(torture.text_for(number, f"{UNTRUSTED}:{SIP_PORT}"), place.endpoint)
        assert ask(place, request("OPTIONS", number, place)).status == 200
        stranger.settimeout(0)
        with pytest.raises(BlockingIOError):
            raise AssertionError(stranger.recv(LARGEST))
    assert not clearip.received()


def test_stranger_cancels_nobodys_call(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """However well it knows the INVITE: with its Via, with a To tag, and with a Route."""
    target, place = sipp.play("target-rings-until-canceled"), proxy.place("udp")
    clearip.redirects_to(target.at())
    with RawCaller(place) as caller, RawCaller(place, UNTRUSTED) as stranger:
        caller.send(request("INVITE", sipp.number, place))
        sent_by = caller.hear().header("via").split()[1].partition(";")[0]
        target.wait_for("INVITE")
        cancel = request("CANCEL", sipp.number, place, cseq="1 CANCEL")
        forged = cancel.replace("[sent-by]", sent_by)
        with_tag = forged.replace("\r\nCall-ID", ";tag=x\r\nCall-ID")
        with proxy.turning_away(2):
            stranger.send(forged)
            stranger.send(with_tag)
        assert stranger.has_heard_nothing()
        assert not target.received("CANCEL")

        caller.send(cancel)
        assert all_succeeded(target)


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
