"""How large a packet may be on the way to each configured target (RFC 3261 §18.1.1)."""

import re
import secrets
import socket
from collections.abc import Iterator
from typing import Final

from inline_proxy.config.model import ProxyConfig
from inline_proxy.config.sip_uri import host_of, port_of
from inline_proxy.finding import Finding, fault, well

SMALLEST: Final = 1_300 + 28
"""What goes over UDP, with the headers of UDP and IP."""
USUAL: Final = 1_500
ANSWER_S: Final = 1.0
CONNECT_S: Final = 4.0
# Of linux/in.h and linux/in6.h, which Python's socket module leaves out.
IP_MTU_DISCOVER, IP_MTU, DO = 10, 14, 2
IPV6_MTU_DISCOVER, IPV6_MTU = 23, 24
_TRANSPORT: Final = re.compile(r";transport=(?P<name>\w+)", re.IGNORECASE)


def check_targets(config: ProxyConfig) -> Iterator[Finding]:
    """Look at the way to every target that the configuration names, each once."""
    seen: set[tuple[str, int, str]] = set()
    for key, uri in _targets(config):
        place = _place(uri)
        if place not in seen:
            seen.add(place)
            yield _check(f"{key}: {uri}", *place)


def _targets(config: ProxyConfig) -> Iterator[tuple[str, str]]:
    yield from (("default_route", uri) for uri in config.default_route)
    yield from (("emergency.route", uri) for uri in config.emergency.route)
    for alias, uri in config.targets.aliases.items():
        yield f"targets.aliases.{alias}", uri


def _place(uri: str) -> tuple[str, int, str]:
    """Return host, port and transport (RFC 3263 §4, without the records of a name)."""
    named = _TRANSPORT.search(uri)
    transport = "tls" if uri.lower().startswith("sips:") else (named["name"] if named else "udp")
    usual = 5061 if transport.lower() == "tls" else 5060
    return host_of(uri), port_of(uri) or usual, transport.lower()


def _check(place: str, host: str, port: int, transport: str) -> Finding:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
    except OSError as error:
        return fault(f"{place}: the name does not resolve: {error.strerror}", "check the name")
    try:
        with socket.socket(family, kind) as connection:
            connection.settimeout(CONNECT_S)
            connection.connect(address)
            mtu = _measured(connection) if transport == "udp" else _known(connection)
    except OSError as error:
        remedy = "let it pass the packet filters on the way, or correct the URI"
        return fault(f"{place}: cannot be reached: {error.strerror or error}", remedy)
    text = f"{place}: packets of {mtu} bytes pass"
    if mtu >= SMALLEST:
        return well(text)
    return fault(text, "raise the MTU on the way, or give the URI ;transport=tcp")


def _measured(connection: socket.socket) -> int:
    """Send OPTIONS in the largest packet, undivided; routers say where it does not fit."""
    is_v6 = connection.family == socket.AF_INET6
    level, option = (
        (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER) if is_v6 else (socket.IPPROTO_IP, IP_MTU_DISCOVER)
    )
    connection.setsockopt(level, option, DO)
    connection.settimeout(ANSWER_S)
    headers = 48 if is_v6 else 28
    try:
        connection.send(
            _options(connection.getsockname(), min(_known(connection), USUAL) - headers)
        )
        connection.recv(1)
    except OSError:  # silence and refusal say nothing of the size, and what does is known below
        pass
    return _known(connection)


def _known(connection: socket.socket) -> int:
    """Return what the kernel knows."""
    if connection.family == socket.AF_INET6:
        return connection.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU)
    return connection.getsockopt(socket.IPPROTO_IP, IP_MTU)


def _options(local: tuple[str, int], size: int) -> bytes:
    host = f"[{local[0]}]" if ":" in local[0] else local[0]
    lines = (
        f"OPTIONS sip:{host}:{local[1]} SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:{local[1]};rport;branch=z9hG4bK{secrets.token_hex(8)}",
        "Max-Forwards: 0",
        f"From: <sip:doctor@{host}>;tag={secrets.token_hex(8)}",
        f"To: <sip:{host}>",
        f"Call-ID: {secrets.token_hex(12)}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    )
    message = "\r\n".join((*lines, "", "")).encode()
    padding = size - len(message) - len("Subject: \r\n")
    return message.replace(b"\r\nTo:", b"\r\nSubject: " + b"-" * max(0, padding) + b"\r\nTo:", 1)
