"""SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966), kept to the letter."""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple
from urllib.parse import unquote

from clearip_proxy.sip.faults import first_faults
from clearip_proxy.sip.grammar import (
    Parameters,
    find_parameter,
    has_control,
    is_token,
    split_parameters,
)

_VISIBLE = re.compile(r"[!#-;=?-~]+")
"""Visible ASCII without `"`, `<` and `>`: what can stand in a request line and in brackets."""

# Underscores are no part of a host name, but trunk groups that stand for a host have them.
_HOST = r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+"
_HOST_PART = re.compile(rf"({_HOST})" + r"(?::([0-9]{1,5}))?(;[^?]*)?(\?.*)?")
_PLAIN = re.compile(r"(sips?):([!#-9;=?A-~]+)@([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
"""A user at a host name or an IPv4 address, and nothing else: what nearly every URI is."""
_VISUAL_SEPARATORS = str.maketrans("", "", "-.()")
_MAX_PORT = 65535
REMEMBERED = 256
"""URIs whose parts are remembered in each process."""
LONGEST_REMEMBERED = 512
"""Characters of such a URI."""
_DEFAULT_PORT = 5060
_DEFAULT_TLS_PORT = 5061


class MalformedUri(ValueError):
    """The text is not a SIP, SIPS or tel URI; the message says why, never what it was."""


class Uri(NamedTuple):
    """A parsed URI; every part is to the letter unless it says otherwise."""

    text: str
    """The whole URI as received."""
    scheme: str
    """`sip`, `sips` or `tel`, in lower case."""
    user: str | None
    """With its user parameters (`+1404…;rn=…;npdi`), without a password; a tel number."""
    password: str | None
    host: str
    """An IPv6 reference keeps its brackets; empty for tel."""
    port: int | None
    parameters: Parameters
    header_part: str
    """The embedded headers as received, from the `?` on; empty without any."""
    headers: tuple[tuple[str, str], ...]
    """Embedded headers (RFC 3261 §19.1.1), percent-decoded, free of control characters."""
    faults: tuple[str, ...]
    """Why embedded headers were left out."""
    transport: str | None = None
    """The `transport` parameter in lower case, None when absent."""
    canonical_host: str = ""
    """The host in lower case without a root dot; IPv6 in its one short form."""
    effective_port: int = _DEFAULT_PORT
    """The port given, or the default of scheme and transport (RFC 3261 §19.1.2)."""
    maddr: str = ""
    """The address to use in place of the host's, canonical (RFC 3261 §19.1.1); empty for none."""

    def without_headers(self) -> str:
        """Return the URI to the letter, its embedded headers cut off."""
        return self.text[: len(self.text) - len(self.header_part)]

    def param(self, name: str) -> str | None:
        """Return a URI parameter; "" for a flag, None when absent."""
        return find_parameter(self.parameters, name)

    def user_param(self, name: str) -> str | None:
        """Return a parameter of the user part, such as `rn` or `tgrp` (RFC 4694, RFC 4904)."""
        return find_parameter(split_parameters((self.user or "").partition(";")[2]), name)

    @property
    def target_host(self) -> str:
        """Where a request is sent, canonical: `maddr`, or else the host (RFC 3263 §4)."""
        return self.maddr or self.canonical_host


def parse_uri(text: str) -> Uri:
    """Parse a SIP, SIPS or tel URI of any length; raises `MalformedUri`.

    A call meets the same few again and again; only what is hostile is too long to be remembered.
    """
    return _remembered(text) if len(text) <= LONGEST_REMEMBERED else _parse_uri(text)


def _parse_uri(text: str) -> Uri:
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        return _plain_uri(text, *plain.groups())
    if not _VISIBLE.fullmatch(text):
        raise MalformedUri("character that no URI may hold" if text else "no URI")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if scheme in {"sip", "sips"} and colon:
        return _parse_sip(text, scheme, rest)
    if scheme == "tel" and colon:
        return _parse_tel(text, rest)
    raise MalformedUri("neither a SIP nor a tel URI")


_remembered = lru_cache(maxsize=REMEMBERED)(_parse_uri)


def same_destination(one: Uri, other: Uri) -> bool:
    """Tell whether two URIs lead to the same user at the same place, to find loops.

    The comparison of RFC 3261 §19.1.4 without parameters, embedded headers, password and
    scheme: the user to the letter but for percent-encoding, the host in any case, the port
    with its default. A tel URI only equals a tel URI (RFC 3966 §4).
    """
    if one.canonical_host != other.canonical_host or one.effective_port != other.effective_port:
        return False
    return _user(one) == _user(other)


def _user(uri: Uri) -> tuple[bool, str | None]:
    if uri.scheme == "tel":
        return True, (uri.user or "").translate(_VISUAL_SEPARATORS)
    return False, uri.user and unquote(uri.user, errors="surrogateescape")


def _plain_uri(text: str, scheme: str, user: str, host: str, digits: str | None) -> Uri:
    port = None if digits is None else _checked_port(digits)
    default = _DEFAULT_TLS_PORT if scheme == "sips" else _DEFAULT_PORT
    canonical = host.lower().rstrip(".")
    return Uri(
        text, scheme, user, None, host, port, (), "", (), (), None, canonical, port or default
    )


def _parse_tel(text: str, rest: str) -> Uri:
    number, _, parameters = rest.partition(";")
    if not number:
        raise MalformedUri("no number")
    found = split_parameters(parameters)
    transport = (find_parameter(found, "transport") or "").lower() or None
    return Uri(text, "tel", number, None, "", None, found, "", (), (), transport)


def _parse_sip(text: str, scheme: str, rest: str) -> Uri:
    # `?` and `;` may stand in the user part, `@` may not: it is looked for first.
    before, at, after = rest.partition("@")
    match = _HOST_PART.fullmatch(after if at else before)
    if match is None:
        raise MalformedUri("malformed host or port")
    user, password = _parse_userinfo(before) if at else (None, None)
    host, digits, parameter_part, header_part = match.groups()
    headers, faults = _parse_headers(header_part) if header_part else ((), ())
    port = _checked_port(digits)
    parameters = split_parameters(parameter_part) if parameter_part else ()
    transport = (find_parameter(parameters, "transport") or "").lower() or None
    is_tls = scheme == "sips" or transport == "tls"
    return Uri(
        text=text,
        scheme=scheme,
        user=user,
        password=password,
        host=host,
        port=port,
        parameters=parameters,
        header_part=header_part or "",
        headers=headers,
        faults=faults,
        transport=transport,
        canonical_host=_canonical_host(host),
        effective_port=port or (_DEFAULT_TLS_PORT if is_tls else _DEFAULT_PORT),
        maddr=_canonical_maddr(parameters) if parameters else "",
    )


def _parse_userinfo(userinfo: str) -> tuple[str, str | None]:
    user, colon, password = userinfo.partition(":")
    if not user:
        raise MalformedUri("empty user")
    return user, password if colon else None


def _canonical_host(host: str) -> str:
    if not host.startswith("["):
        return host.lower().rstrip(".")
    try:
        return f"[{IPv6Address(host[1:-1]).compressed}]"
    except AddressValueError:
        raise MalformedUri("malformed IPv6 address") from None


def _canonical_maddr(parameters: Parameters) -> str:
    maddr = find_parameter(parameters, "maddr")
    if maddr is None:
        return ""
    if not re.fullmatch(_HOST, maddr):
        raise MalformedUri("malformed maddr")
    return _canonical_host(maddr)


def _checked_port(digits: str | None) -> int | None:
    if digits is None:
        return None
    port = int(digits)
    if not 0 < port <= _MAX_PORT:
        raise MalformedUri("port out of range")
    return port


def _parse_headers(header_part: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Decode `?name=value&…`; what could not be sent as a header is left out as a fault."""
    headers: list[tuple[str, str]] = []
    faults: list[str] = []
    for number, header in enumerate(filter(None, header_part[1:].split("&")), start=1):
        encoded_name, equals, encoded_value = header.partition("=")
        name = unquote(encoded_name, errors="surrogateescape")
        value = unquote(encoded_value, errors="surrogateescape")
        if not equals or not is_token(name):
            faults.append(f"embedded header {number}: no name")
        elif has_control(value):
            faults.append(f"embedded header {number}: control character")
        else:
            headers.append((name, value))
    return tuple(headers), first_faults(faults)


def scheme_of(value: str) -> str:
    """Return the scheme of the URI in a name-addr or addr-spec value; "" when it has none."""
    start = value.rfind("<") + 1
    return value[start:].partition(":")[0].strip().lower()
