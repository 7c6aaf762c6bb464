"""SIP URIs of the configuration, to the grammar of RFC 3261 §19.1.1 and §25.1."""

import re
from ipaddress import IPv6Address
from typing import Final

from inline_proxy.config.faults import Refused
from inline_proxy.config.scalars import address, host_name, text

_UNRESERVED: Final = r"A-Za-z0-9\-_.!~*'()"
_URI: Final = re.compile(
    rf"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):"
    rf"(?:(?P<user>(?:[{_UNRESERVED}&=+$,;?/]|%[0-9A-Fa-f]{{2}})+)@)?"
    r"(?P<host>\[[^\]]*\]|[^;:?@\[\]]*)"
    r"(?::(?P<port>[^;?]*))?"
    rf"(?P<parameters>(?:;[{_UNRESERVED}\[\]/:&+$%]+(?:=[{_UNRESERVED}\[\]/:&+$%]+)?)*)"
)
_TRANSPORTS: Final = ("udp", "tcp", "tls")
_HIGHEST_PORT: Final = 65535

ALLOWED: Final = (
    "sip:HOST or sips:HOST, with USER@ before the host and :PORT and ;transport=udp, tcp or tls "
    "after it where needed; an IPv6 host in brackets"
)


def sip_uri(value: object) -> str:
    """A SIP or SIPS URI without header part, as it was written."""
    parts = _URI.fullmatch(text(value))
    if parts is None:
        raise Refused("has a header part, which a route cannot have" if "?" in text(value) else "")
    if parts["scheme"].lower() not in ("sip", "sips"):
        raise Refused("has a scheme other than sip and sips")
    if ":" in (parts["port"] or ""):
        raise Refused("has an IPv6 host, which stands in brackets")
    _check_host(parts["host"])
    _check_port(parts["port"])
    _check_transport(parts["scheme"].lower(), parts["parameters"])
    return text(value)


def host_of(uri: str) -> str:
    """The host of a URI that `sip_uri` has taken, an IPv6 address without its brackets."""
    parts = _URI.fullmatch(uri)
    return parts["host"].strip("[]") if parts else ""


def port_of(uri: str) -> int | None:
    """The port in a URI that `sip_uri` has taken; None where it names none."""
    parts = _URI.fullmatch(uri)
    return int(parts["port"]) if parts and parts["port"] else None


def _check_host(host: str) -> None:
    if host.startswith("["):
        _check_ipv6_reference(host[1:-1])
        return
    try:
        address(host)
    except Refused as refused:
        if refused.wrong:
            raise
        _check_name(host)


def _check_ipv6_reference(inner: str) -> None:
    try:
        is_ipv6 = isinstance(address(inner), IPv6Address)
    except Refused as refused:
        if refused.wrong:
            raise
        is_ipv6 = False
    if not is_ipv6:
        raise Refused("has a host in brackets that is not an IPv6 address")


def _check_name(host: str) -> None:
    try:
        host_name(host)
    except Refused:
        raise Refused("has a host that is neither a name nor an address") from None


def _check_port(port: str | None) -> None:
    if port is None:
        return
    if re.fullmatch("[0-9]{1,5}", port) is None or not 1 <= int(port) <= _HIGHEST_PORT:
        raise Refused("has a port that is not a number from 1 to 65535")


def _check_transport(scheme: str, parameters: str) -> None:
    transports = [
        parameter.partition("=")[2].lower()
        for parameter in parameters.split(";")
        if parameter.partition("=")[0].lower() == "transport"
    ]
    if len(transports) > 1:
        raise Refused("names its transport twice")
    if transports and transports[0] not in _TRANSPORTS:
        raise Refused("has a transport other than udp, tcp and tls")
    if scheme == "sips" and transports == ["udp"]:
        raise Refused("asks for TLS (sips) and for UDP at the same time")
