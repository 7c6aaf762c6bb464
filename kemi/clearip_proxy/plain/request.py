"""The plain request: an INVITE that begins a call, an ACK or a BYE, as switches send them.

Both are read with what Kamailio says of them in front: the sender's address, the size, and the
connection.
"""

import re
from collections.abc import Sequence

from clearip_proxy.plain.shapes import LINE, Shapes, names_of
from clearip_proxy.sip.grammar import COMPACT_NAMES, is_token

ONCE = frozenset({"From", "To", "Call-ID", "CSeq", "Max-Forwards"})
_OF_ACCOUNT = frozenset(
    {
        *(name.lower() for name in ONCE),
        *("via", "route", "proxy-require", "content-length", "p-source-device", "identity"),
        "expires",
    }
)
"""Whose other spellings, and whose repetitions, the general way looks into."""
_REPEATED = frozenset({"Via", "Route", "Identity"})
_ORIGIN = r"(?P<address>[^ ]+) (?P<size>[0-9]+) (?P<connection>[^ ]+) "
_DISPLAY = r"(?:\"[ !#-\[\]-~]*\" ?|[\w.!%*+`'~-]+ ?)?"
_TAG = r"[\w.!%*+`'~-]+"
_URI = r"[!#-;=?-\[\]-~]+"
_NAME = r"[A-Za-z0-9.-]+"
_USER = r"[!#-+.-9;=A-\[\]-~-]+"
# Without the port that nobody needs to name.
_PLACE = r"[a-z0-9-]+(?:\.[a-z0-9-]+)*(?:(?!:5060[>;]):[1-9][0-9]{0,4})?"
_PLAIN_TO = rf"sip:(?:{_USER}@)?(?P<to_place>{_PLACE})(?::5060)?(?:;user=phone)?"
_CALLED = (
    r"INVITE (?P<uri>sip:(?P<user>(?P<number>\+?[0-9]+)(?:;[\w.+-]+(?:=[\w.+-]+)?)*)"
    rf"@{_NAME}(?::[1-9][0-9]{{0,3}})?(?:;user=phone|;transport=(?:udp|tcp|tls))*) SIP/2\.0"
)
_IN_DIALOG = rf"(?P<method>ACK|BYE) sips?:{_URI} SIP/2\.0"
_COMMON = {
    "Call-ID": r"(?P<call_id>[!#-\[\]-~]+)",
    # As far as a request may go, and what passes Kamailio's own checks.
    "Max-Forwards": r"(?:[1-9]|[1-6][0-9]|70)",
    "Expires": r"[0-9]{1,9}",
    "Content-Length": r" *(?P<length>[0-9]{1,6})",
}
_OF_INVITE = {
    **_COMMON,
    "From": rf"{_DISPLAY}<(?P<from_uri>{_URI})>;tag=(?P<from_tag>{_TAG})",
    # The place of a URI that is plain itself; no group of any other.
    "To": rf"{_DISPLAY}<(?:{_PLAIN_TO}|{_URI})>",
    "CSeq": r"[0-9]{1,9} INVITE",
}
_OF_DIALOG = {
    **_COMMON,
    "From": rf"{_DISPLAY}<{_URI}>;tag=(?P<from_tag>{_TAG})",
    "To": rf"{_DISPLAY}<{_URI}>;tag=(?P<to_tag>{_TAG})",
}
# The token counts that stands first in the first URI; a second one is for the general way.
_ROUTE = (
    r"<(?![^>]*(?i:;dialog=)[^>]*(?i:;dialog=))[!#-;=?-~]*?;dialog=(?P<token>[0-9a-f]{20})(?:;[!#-;=?-~]*)?>"
    r"(?:, ?<[!#-;=?-~]+>)*"
)

_PROOF = tuple(
    re.compile(each)
    for each in (
        r";dialog=([0-9a-f]{20})[;>]",
        r"\r\nCall-ID: ([!-~]+)\r\n",
        rf"\r\nFrom: [^\r]*>;tag=({_TAG})\r\n",
        rf"\r\nTo: [^\r]*>;tag=({_TAG})\r\n",
    )
)

INVITE_READ = (
    *("address", "size", "uri", "user", "number", "from_uri", "from_tag", "to_place", "call_id"),
    "length",
)
DIALOG_READ = ("method", "call_id", "from_tag", "to_tag", "token")
METHOD_LENGTH = len("INVITE ")
"""What stands between the beginning of an INVITE and its Request-URI."""


def invites() -> Shapes:
    """Return the reader of INVITEs that begin a call."""
    return Shapes(_invite_pattern, INVITE_READ)


def in_dialog() -> Shapes:
    """Return the reader of ACK and BYE with a Route, both tags, and a token of the usual kind."""
    return Shapes(_dialog_pattern, DIALOG_READ)


def proof_in(text: str) -> Sequence[str] | None:
    """Return token, Call-ID, From and To tag of a request of no known kind; None if one is absent.

    A pattern costs milliseconds, and there is room for few: who proves no dialog teaches none.
    """
    found = [each.search(text) for each in _PROOF]
    return None if None in found else [each[1] for each in found if each]


def _invite_pattern(lines: list[str]) -> str | None:
    fields = _fields(lines, _OF_INVITE)
    return fields and f"{_ORIGIN}{_CALLED}\r\n{fields}\r\n"


def _dialog_pattern(lines: list[str]) -> str | None:
    fields = _fields(lines, {**_OF_DIALOG, "Route": _ROUTE})
    return fields and f"{_ORIGIN}{_IN_DIALOG}\r\n{fields}\r\n" if "(?P<token>" in fields else None


def _fields(lines: list[str], values: dict[str, str]) -> str:
    """Return the pattern of the header fields; "" where one is not spelt or parted as usual.

    Of Via and Route the first counts; the others must be there, and once.
    """
    pattern: list[str] = []
    found: set[str] = set()
    for name in names_of(lines):
        is_first = name not in found
        is_repeated = not is_first and name in values.keys() - _REPEATED
        if is_repeated or not _is_known(name):
            return ""
        value = values.get(name, LINE) if is_first else LINE
        pattern.append(f"{re.escape(name)}: {value}\r\n")
        found.add(name)
    return "".join(pattern) if found >= ONCE | {"Via"} else ""


def _is_known(name: str) -> bool:
    """Tell a name that is spelt as usual, or that decides nothing."""
    if name in {*_COMMON, *ONCE, *_REPEATED}:
        return True
    lowered = name.lower()
    return is_token(name) and lowered not in _OF_ACCOUNT and lowered not in COMPACT_NAMES
