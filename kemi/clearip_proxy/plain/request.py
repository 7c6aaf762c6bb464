"""The plain request: an INVITE that begins a call, an ACK or a BYE, as switches send them."""

import re
from functools import lru_cache
from typing import NamedTuple

from clearip_proxy.sip.grammar import COMPACT_NAMES, is_token

_ONCE = frozenset({"From", "To", "Call-ID", "CSeq", "Max-Forwards"})
_OF_ACCOUNT = frozenset(
    {
        *(name.lower() for name in _ONCE),
        *("via", "route", "proxy-require", "content-length", "p-source-device", "identity"),
    }
)
"""Whose other spellings, and whose repetitions, the general way looks into."""
_HOPS = frozenset(str(number) for number in range(1, 71))
"""Max-Forwards that lets a request pass."""
_NAME_ADDR = re.compile(
    r"(?:\"[^\"\\]*\" ?|[\w.!%*+`'~-]+ ?)?<([!#-;=?-~]+)>(?:;tag=([\w.!%*+`'~-]+))?", re.ASCII
)
_CALL_ID = re.compile(r"[!-~]+")
_HOST = r"[A-Za-z0-9.-]+(?::[1-9][0-9]{0,3})?"
_CALLED = re.compile(
    rf"INVITE (sip:((\+?[0-9]+)(?:;[\w.+-]+(?:=[\w.+-]+)?)*)@{_HOST}"
    r"(?:;user=phone|;transport=(?:udp|tcp|tls))*) SIP/2\.0",
    re.ASCII,
)
_ROUTE = re.compile(r"<[!#-;=?-~]+>(?:, ?<[!#-;=?-~]+>)*")
_IN_DIALOG = re.compile(r"(ACK|BYE) (sips?:[!#-;=?-~]+) SIP/2\.0")


class PlainInvite(NamedTuple):
    """An INVITE that begins a call."""

    uri: str
    user: str
    """With its parameters."""
    number: str
    """Without them."""
    call_id: str
    from_tag: str
    has_route: bool
    known_by: str
    """Start line and header fields that its transaction is known by."""


class PlainInDialog(NamedTuple):
    """An ACK or a BYE inside a dialog."""

    method: str
    uri: str
    call_id: str
    from_tag: str
    to_tag: str
    route: str
    """The first Route header field."""


def plain_invite(raw: str) -> PlainInvite | None:
    """Read an INVITE whose header lines are all framed, spelt and parted as usual."""
    start, found = _lines(raw)
    called = _CALLED.fullmatch(start)
    if called is None or "Via" not in found:
        return None
    from_ = _NAME_ADDR.fullmatch(found["From"])
    to = _NAME_ADDR.fullmatch(found["To"])
    if from_ is None or to is None or not from_[2] or to[2]:
        return None
    known_by = (
        f"{start}\r\nVia: {found['Via']}\r\nFrom: {found['From']}\r\nTo: {found['To']}\r\n"
        f"Call-ID: {found['Call-ID']}\r\nCSeq: {found['CSeq']}"
    )
    uri, user, number = called.groups()
    return PlainInvite(uri, user, number, found["Call-ID"], from_[2], "Route" in found, known_by)


def plain_in_dialog(raw: str) -> PlainInDialog | None:
    """Read an ACK or a BYE of the same kind that has a Route and both tags."""
    start, found = _lines(raw)
    begins = _IN_DIALOG.fullmatch(start)
    if begins is None or not _ROUTE.fullmatch(found.get("Route", "")):
        return None
    from_ = _NAME_ADDR.fullmatch(found["From"])
    to = _NAME_ADDR.fullmatch(found["To"])
    if from_ is None or to is None or not from_[2] or not to[2]:
        return None
    return PlainInDialog(begins[1], begins[2], found["Call-ID"], from_[2], to[2], found["Route"])


def _lines(raw: str) -> tuple[str, dict[str, str]]:
    """Return the start line and the header fields of account; an empty line for none.

    Of Via and Route the first counts; the others must be there, and once.
    """
    head, end, _ = raw.partition("\r\n\r\n")
    lines = head.split("\r\n")
    # No line break but these, no null: the lines end as `is_framed` wants it.
    if not end or not "".join(lines).isprintable():
        return "", {}
    found: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        if name in _ONCE:
            if name in found:
                return "", {}
            found[name] = value
        elif name in {"Via", "Route"}:
            found.setdefault(name, value)
        elif not _is_of_no_account(name):
            return "", {}
    is_whole = found.keys() >= _ONCE and found["Max-Forwards"] in _HOPS
    return (lines[0], found) if is_whole and _CALL_ID.fullmatch(found["Call-ID"]) else ("", {})


@lru_cache(maxsize=256)
def _is_of_no_account(name: str) -> bool:
    """Tell a header field that decides nothing, by its name."""
    lowered = name.lower()
    if name in {"Content-Length", "Identity"}:
        return True
    return is_token(name) and lowered not in _OF_ACCOUNT and lowered not in COMPACT_NAMES
