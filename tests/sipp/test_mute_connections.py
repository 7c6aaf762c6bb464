"""Connections on which nothing whole is said: they end soon, however busy they look."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from sipp.control import counted
from sipp.hosts import tcp_socket
from sipp.place import Place
from sipp.proxy import Proxies, Proxy
from sipp.raw_request import LARGEST, request
from sipp.tls_bridge import trusting
from sipp.torture.test_handshakes import client_hello
from sipp.waiting import wait_until

SWITCH = "127.48.0.1"
FIRST_MESSAGE_S = 3
LATEST_S = 15
"""When a mute connection is closed at the latest here: Kamailio 5.6 holds it five seconds more."""
TRICKLE_S = 0.5
BEGUN = b"OPTIONS sip:proxy@example.com SIP/2.0\r\nVia: SIP/2.0/TCP " + b"x" * 200
Client = Callable[[Place, Place], socket.socket]


@pytest.fixture
def short_proxy(proxies: Proxies) -> Iterator[Proxy]:
    """A proxy with little patience, for one test alone."""
    proxy = proxies.fresh({"listen": {"first_message_s": FIRST_MESSAGE_S}})
    yield proxy
    proxy.stop()


def connected(place: Place) -> socket.socket:
    """A connection."""
    stream = tcp_socket(SWITCH)
    stream.connect(place.endpoint)
    return stream


def says_nothing(tcp: Place, _tls: Place) -> socket.socket:
    """Not one byte."""
    return connected(tcp)


def shakes_no_hands(_tcp: Place, tls: Place) -> socket.socket:
    """Nothing where a handshake is due."""
    return connected(tls)


def stops_in_the_handshake(_tcp: Place, tls: Place) -> socket.socket:
    """The server has answered, and hears no more."""
    stream = connected(tls)
    stream.sendall(client_hello())
    return stream


def shakes_hands_and_is_mute(_tcp: Place, tls: Place) -> socket.socket:
    """A whole handshake."""
    return trusting().wrap_socket(connected(tls))


def trickles(tcp: Place, _tls: Place) -> socket.socket:
    """A byte of a request now and then, which never ends."""
    return trickling(connected(tcp), BEGUN)


def trickles_a_handshake(_tcp: Place, tls: Place) -> socket.socket:
    """A byte of a handshake now and then."""
    return trickling(connected(tls), client_hello())


def trickling(stream: socket.socket, text: bytes) -> socket.socket:
    """Send a text byte by byte, until the other side has had enough."""
    over = threading.Event()

    def trickle() -> None:
        with suppress(OSError):
            for position in range(len(text)):
                stream.sendall(text[position : position + 1])
                over.wait(TRICKLE_S)

    threading.Thread(target=trickle, daemon=True).start()
    return stream


MUTE: tuple[Client, ...] = (
    says_nothing,
    shakes_no_hands,
    stops_in_the_handshake,
    shakes_hands_and_is_mute,
    trickles,
    trickles_a_handshake,
)


def is_answered(stream: socket.socket, place: Place, number: str) -> bool:
    """Whether OPTIONS on a connection have a 200."""
    text = request("OPTIONS", number, place)
    stream.sendall(text.replace("UDP [sent-by]", f"{place.transport.upper()} {SWITCH}").encode())
    return stream.recv(LARGEST).startswith(b"SIP/2.0 200 ")


def ends(stream: socket.socket) -> bool:
    """Whether the proxy closes a connection in time."""
    stream.settimeout(LATEST_S)
    try:
        while stream.recv(LARGEST):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def test_connection_that_says_nothing_ends_and_one_that_has_said_something_stays(
    short_proxy: Proxy, number: str
) -> None:
    """All at once: slow ones too, before, in and after the handshake."""
    tcp, tls = short_proxy.place("tcp"), short_proxy.place("tls")
    with ExitStack() as opened:
        heard = (
            (opened.enter_context(connected(tcp)), tcp),
            (opened.enter_context(trusting().wrap_socket(connected(tls))), tls),
        )
        assert all(is_answered(stream, place, number) for stream, place in heard)
        mute = [opened.enter_context(client(tcp, tls)) for client in MUTE]

        kept = [client.__name__ for client, each in zip(MUTE, mute, strict=True) if not ends(each)]

        assert kept == []
        wait_until(
            lambda: counted(short_proxy, "mute_connections_closed") == len(MUTE), "all are counted"
        )
        assert all(is_answered(stream, place, number) for stream, place in heard)
