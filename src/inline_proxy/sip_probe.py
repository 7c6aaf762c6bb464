"""Ask a SIP listener whether it answers: one OPTIONS over UDP, TCP or TLS (RFC 3261 §11)."""

import re
import secrets
import socket
import ssl
from contextlib import closing

from inline_proxy.listeners import Listener

LARGEST_ANSWER = 65_535
# Alerts of RFC 8446 §6.2 and RFC 5246 §7.2.2, as OpenSSL names them: a certificate is wanted.
_ASKS_WHO_IT_IS = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
_STATUS_LINE = re.compile(rb"SIP/2\.0 [1-6]\d\d ")


def answers_options(listener: Listener, timeout_s: float) -> bool:
    """Tell whether the listener gives any SIP response in time; never raises `OSError`.

    It is asked from its own address, which is a trusted source, and not from whichever other
    one the host would choose.
    Its certificate is not checked: the question is whether it lives, not who it is. So is one
    alive that asks for a certificate, which nobody has at hand here.
    """
    try:
        with closing(_connect(listener, timeout_s)) as connection:
            connection.sendall(_options(listener, connection.getsockname()))
            return _STATUS_LINE.match(connection.recv(LARGEST_ANSWER)) is not None
    except ssl.SSLError as error:
        return any(alert in str(error.reason) for alert in _ASKS_WHO_IT_IS)
    except OSError:
        return False


def _connect(listener: Listener, timeout_s: float) -> socket.socket:
    address = (str(listener.address), listener.port)
    if listener.transport == "udp":
        return _connected_datagrams(address, timeout_s)
    stream = socket.create_connection(address, timeout_s, source_address=(address[0], 0))
    if listener.transport == "tcp":
        return stream
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(stream)


def _connected_datagrams(address: tuple[str, int], timeout_s: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    try:
        datagrams.settimeout(timeout_s)
        datagrams.bind((address[0], 0))
        datagrams.connect(address)
    except OSError:
        datagrams.close()
        raise
    return datagrams


def _options(listener: Listener, local: tuple[str, int]) -> bytes:
    host = f"[{local[0]}]" if ":" in local[0] else local[0]
    tag, branch = secrets.token_hex(8), secrets.token_hex(8)
    transport = listener.transport.upper()
    lines = (
        f"OPTIONS sip:{listener.host_port} SIP/2.0",
        f"Via: SIP/2.0/{transport} {host}:{local[1]};rport;branch=z9hG4bK{branch}",
        "Max-Forwards: 1",
        f"From: <sip:probe@{host}>;tag={tag}",
        f"To: <sip:{listener.host_port}>",
        f"Call-ID: {branch}@{host}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()
