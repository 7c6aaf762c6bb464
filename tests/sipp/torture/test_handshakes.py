"""TLS handshakes that clients break off: the door stays open, and no worker dies.

Kamailio 5.6 with OpenSSL 3 crashes when two processes read TLS and clients drop early; one
process does not. Few handshakes in an ordinary run; all of them, with both Kamailios:

    scripts/test --torture -k handshakes
"""

import os
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from sipp.clearip import ClearIp
from sipp.hosts import tcp_socket
from sipp.place import Place
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.tls_bridge import trusting
from sipp.torture.vitals import Vitals

HANDSHAKES = int(os.environ.get("TORTURE_HANDSHAKES") or "600")
CLIENTS = 4
"""At a time."""
SWITCH = "127.46.0.1"
PATIENCE_S = 20
RESET = b"\1\0\0\0\0\0\0\0"
Client = Callable[[socket.socket], None]


def says_nothing(_stream: socket.socket) -> None:
    """Connect and go."""


def says_half_a_hello(stream: socket.socket) -> None:
    """The first record is never whole."""
    stream.sendall(client_hello()[:40])


def says_hello_and_goes(stream: socket.socket) -> None:
    """The server answers to nobody."""
    stream.sendall(client_hello())


def hears_the_server_and_goes(stream: socket.socket) -> None:
    """Gone after the server's first flight."""
    stream.sendall(client_hello())
    stream.recv(1_000)


def resets_the_connection(stream: socket.socket) -> None:
    """The server's answer meets a closed port."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    stream.sendall(client_hello())


def finishes_and_goes(stream: socket.socket) -> None:
    """A whole handshake, and not one byte of SIP."""
    trusting().wrap_socket(stream).close()


def finishes_and_says_rubbish(stream: socket.socket) -> None:
    """Half a request, then bytes that are no TLS record."""
    encrypted = trusting().wrap_socket(stream)
    encrypted.sendall(b"OPTIONS sip:half@example.com SIP/2.0\r\nVia: ")
    with socket.socket(fileno=encrypted.detach()) as plain:
        plain.sendall(b"\x17\x03\x03\x40\x00" + bytes(64))


CLIENT_KINDS: tuple[Client, ...] = (
    says_nothing,
    says_half_a_hello,
    says_hello_and_goes,
    hears_the_server_and_goes,
    resets_the_connection,
    finishes_and_goes,
    finishes_and_says_rubbish,
)


def client_hello() -> bytes:
    """The first flight of a client, TLS 1.2 and 1.3."""
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        trusting().wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    return outgoing.read()


def break_off(place: Place, position: int) -> None:
    """Play one of the clients."""
    with tcp_socket(SWITCH) as stream, suppress(ConnectionError, ssl.SSLError):
        stream.settimeout(PATIENCE_S)
        stream.connect(place.endpoint)
        CLIENT_KINDS[position % len(CLIENT_KINDS)](stream)


@pytest.mark.timeout(120 + HANDSHAKES // 20)
def test_broken_handshakes_kill_nobody(fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Every process lives, memory stays, and a call over TLS is answered."""
    vitals = Vitals.of(fresh_proxy)
    place = fresh_proxy.place("tls")
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda position: break_off(place, position), range(HANDSHAKES // 4)))
        vitals.remember_memory()
        later = range(HANDSHAKES // 4, HANDSHAKES)
        list(clients.map(lambda position: break_off(place, position), later))

    vitals.prove_well()
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    assert all_succeeded(sipp.play("uac-answered", to=fresh_proxy, transport="tls"), target)
