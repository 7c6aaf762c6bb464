"""Parsers of single values: each takes what stood in the file and raises `Refused`."""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from inline_proxy.config.faults import Refused
from inline_proxy.config.values import Value

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# RFC 3261 §25.1, hostname: the last label begins with a letter, so no address looks like a name.
_NAME: Final = re.compile(rf"(?:{LABEL}\.)*(?![0-9]){LABEL}")
_LONGEST_NAME: Final = 253
# Linux's IFNAMSIZ less the closing null; no colon, so that a mistyped address is no name.
_INTERFACE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.@-]{0,14}")


def text(value: object) -> str:
    """A string, as it stood."""
    if not isinstance(value, str):
        raise Refused
    return value


def matching(pattern: str) -> Callable[[object], str]:
    """A parser of strings that match the whole pattern."""
    compiled = re.compile(pattern)

    def parse(value: object) -> str:
        if compiled.fullmatch(text(value)) is None:
            raise Refused
        return text(value)

    return parse


def one_of(*words: str, wrong: str = "is none of the words known here") -> Value:
    """A key that takes one of a few words."""

    def parse(value: object) -> str:
        if text(value) not in words:
            raise Refused
        return text(value)

    return Value(parse, wrong=wrong, allowed=" or ".join(words))


def whole_number(low: int, high: int) -> Callable[[object], int]:
    """A parser of whole numbers within the bounds, both included."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Refused
        return value

    return parse


def number(low: int, high: int, *, wrong: str, or_null: str = "") -> Value:
    """A key that takes a whole number, or null for what `or_null` says."""
    allowed = f"a whole number from {low} to {high}"
    if or_null:
        allowed += f", or null for {or_null}"
    return Value(whole_number(low, high), wrong=wrong, allowed=allowed, null=bool(or_null))


def port(*, or_null: str = "") -> Value:
    """A key that takes a TCP or UDP port."""
    return number(1, 65535, wrong="is not a port", or_null=or_null)


def yes_or_no() -> Value:
    """A key that takes a truth value, and no word that YAML 1.1 took for one."""

    def parse(value: object) -> bool:
        if not isinstance(value, bool):
            raise Refused
        return value

    return Value(parse, wrong="is neither true nor false", allowed="true or false")


def host_name(value: object) -> str:
    """A host name of ASCII letters, digits and hyphens (RFC 1123 §2.1), without a last dot."""
    if len(text(value)) > _LONGEST_NAME or _NAME.fullmatch(text(value)) is None:
        raise Refused
    return text(value)


def address(value: object) -> Address:
    """An IPv4 or IPv6 address that one host can have, without zone and brackets."""
    try:
        parsed = ip_address(text(value))
    except ValueError:
        raise Refused from None
    if parsed.is_unspecified or parsed.is_multicast:
        raise Refused("is not the address of one host")
    if isinstance(parsed, IPv6Address) and parsed.scope_id is not None:
        raise Refused("has a zone, which SIP cannot carry")
    return parsed


def host(value: object) -> str:
    """A host name, or an address in its shortest form and without brackets."""
    try:
        return str(address(value))
    except Refused as refused:
        if refused.wrong:
            raise
    return host_name(value)


def address_or_interface(value: object) -> Address | str:
    """An address, or the name of a network interface (which need not exist on this host)."""
    try:
        return address(value)
    except Refused as refused:
        if refused.wrong:
            raise
    if value == "all":
        raise Refused('is not an interface: write "addresses: all" instead of a list')
    if _INTERFACE.fullmatch(text(value)) is None:
        raise Refused
    return text(value)


def network(value: object) -> Network:
    """A network in CIDR notation; a bare address is the network of that one host."""
    try:
        return ip_network(text(value))
    except ValueError:
        pass
    try:
        meant = ip_network(text(value), strict=False)
    except ValueError:
        raise Refused from None
    raise Refused(f"has address bits after its prefix: {meant} would be a network")
