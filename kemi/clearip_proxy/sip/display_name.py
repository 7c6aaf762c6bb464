"""Rewriting of display names, for switches that mangle what ClearIP puts there."""

from collections.abc import Iterable

from clearip_proxy.policy import DisplayNameRule
from clearip_proxy.sip.grammar import has_control, split_name_addr, unquote_string

LONGEST_NAME = 64
"""Characters of a name that is rewritten; the patterns were admitted for texts no longer."""


def rewritten(value: str, rules: Iterable[DisplayNameRule]) -> str:
    """Apply the rules in order to the display name of a name-addr value.

    A value without a display name, a name that is too long or grows too long, and a result that
    no header may hold leave it as it is.
    """
    parts = split_name_addr(value)
    if parts is None or not parts[0].strip():
        return value
    name, address, rest = parts
    old = unquote_string(name.strip())
    new = old
    for rule in rules:
        if len(new) > LONGEST_NAME:
            return value
        new = rule.pattern.sub(rule.replacement, new)
    if new == old or has_control(new):
        return value
    return f"{_quoted(new)} <{address}>{rest}" if new else f"<{address}>{rest}"


def _quoted(name: str) -> str:
    """Write a display name as a quoted string (RFC 3261 §25.1)."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
