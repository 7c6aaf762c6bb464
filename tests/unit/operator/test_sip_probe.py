"""Whether a listener answers OPTIONS, asked of small servers."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from inline_proxy.certificates import self_signed
from inline_proxy.lab.message import Message
from inline_proxy.listeners import Listener, Transport
from inline_proxy.sip_probe import answers_options

OK = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"
LONG_S = 10.0
"""Never waited for: an answer comes at once."""
SHORT_S = 0.05


class SmallServer:
    """Answers everything with the same bytes, or with nothing, and keeps what it got."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.received: list[Message] = []

    def reply_to(self, request: bytes) -> bytes | None:
        """Keep a request and give the answer."""
        self.received.append(Message.parse(request.decode()))
        return self.answer


def _handler(small: SmallServer) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if isinstance(self.request, tuple):
                datagram, port = self.request
                if (answer := small.reply_to(datagram)) is not None:
                    port.sendto(answer, self.client_address)
                return
            if (answer := small.reply_to(self.request.recv(65_535))) is not None:
                self.request.sendall(answer)
            self.request.recv(1)  # until the other side goes

    return Handler


def _server(
    transport: Transport, host: str, small: SmallServer
) -> socketserver.TCPServer:  # a UDPServer is one, too
    class Tcp(socketserver.ThreadingTCPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    class Udp(socketserver.UDPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    return (Udp if transport == "udp" else Tcp)((host, 0), _handler(small))


def _speak_tls(server: socketserver.TCPServer, directory: Path) -> None:
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    self_signed(["localhost"]).write(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)


@contextmanager
def serving(
    small: SmallServer, transport: Transport, directory: Path, host: str = "127.0.0.1"
) -> Iterator[Listener]:
    """Run a server on a free port."""
    with _server(transport, host, small) as server:
        if transport == "tls":
            _speak_tls(server, directory)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Listener(transport, ip_address(host), server.socket.getsockname()[1])
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_listener_that_answers_is_alive(transport: Transport, host: str, tmp_path: Path) -> None:
    """Over each transport and either family; the request is one that any proxy answers."""
    small = SmallServer(OK)

    with serving(small, transport, tmp_path, host) as listener:
        assert answers_options(listener, LONG_S)

    (options,) = small.received
    assert options.method == "OPTIONS"
    assert options.request_uri == f"sip:{listener.host_port}"
    assert options.header("Via").startswith(f"SIP/2.0/{transport.upper()} {host_in_via(host)}:")
    assert options.header("Max-Forwards") == "1"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_listener_is_asked_from_its_own_address(transport: Transport, tmp_path: Path) -> None:
    """On a host with several the kernel would choose another one, which need not be trusted."""
    small = SmallServer(OK)

    with serving(small, transport, tmp_path, "127.0.7.2") as listener:
        assert answers_options(listener, LONG_S)

    assert "127.0.7.2:" in small.received[0].header("Via")


def host_in_via(host: str) -> str:
    """IPv6 stands in brackets."""
    return f"[{host}]" if ":" in host else host


def test_any_final_response_is_an_answer(tmp_path: Path) -> None:
    """A listener that refuses lives, too."""
    with serving(SmallServer(b"SIP/2.0 403 Forbidden\r\n\r\n"), "tcp", tmp_path) as listener:
        assert answers_options(listener, LONG_S)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SIP/2.0 999 What\r\n"])
def test_answer_that_is_not_sip_is_none(
    transport: Transport, answer: bytes, tmp_path: Path
) -> None:
    """Somebody else listens there."""
    with serving(SmallServer(answer), transport, tmp_path) as listener:
        assert not answers_options(listener, LONG_S)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_silence_ends_with_the_timeout(transport: Transport, tmp_path: Path) -> None:
    """Within the time given."""
    with serving(SmallServer(None), transport, tmp_path) as listener:
        assert not answers_options(listener, SHORT_S)


def test_tls_that_never_shakes_hands_ends_with_the_timeout(tmp_path: Path) -> None:
    """A plain TCP server waits for more, and so would the probe."""
    with serving(SmallServer(None), "tcp", tmp_path) as listener:
        assert not answers_options(Listener("tls", listener.address, listener.port), SHORT_S)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_refused_listener_does_not_answer(transport: Transport) -> None:
    """Nobody is there."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # and not listening
        port = reserved.getsockname()[1]

        assert not answers_options(Listener(transport, ip_address("127.0.0.1"), port), LONG_S)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_unreachable_address_does_not_answer(transport: Transport) -> None:
    """The kernel refuses to send there; no socket is left open (which would be a warning)."""
    assert not answers_options(Listener(transport, ip_address("255.255.255.255"), 5060), LONG_S)
