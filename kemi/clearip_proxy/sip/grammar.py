"""The pieces of RFC 3261 §25 that every other parser here is made of.

Rule of this file: each function reads its text from left to right once. No pattern may
have two ways to match the same characters, so 64 kB of hostile text costs 64 kB of work.
"""

import re
from typing import Literal, TypeAlias

Parameters: TypeAlias = tuple[tuple[str, str | None], ...]
"""Parameters to the letter and in order; a parameter without `=` has the value None."""

LWS = " \t\r\n"
"""What may stand round a separator; never `str.strip()`, which also eats other characters."""

# The one-letter names of the IANA registry "SIP Header Fields", in lower case.
COMPACT_NAMES = {
    "a": "accept-contact",  # RFC 3841
    "b": "referred-by",  # RFC 3892
    "c": "content-type",
    "d": "request-disposition",  # RFC 3841
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",  # RFC 3841
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",  # RFC 4474
    "o": "event",  # RFC 6665
    "r": "refer-to",  # RFC 3515
    "s": "subject",
    "t": "to",
    "u": "allow-events",  # RFC 6665
    "v": "via",
    "x": "session-expires",  # RFC 4028
    "y": "identity",  # RFC 8224
}

HEADER_NAME = r"[A-Za-z0-9\-.!%*_+`'~]+"
"""The pattern of a header field name, which is a token (RFC 3261 §25.1)."""

_QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*"?'
_ANGLE = r"<[^>]*>?"

_ENCLOSED = re.compile(f"{_QUOTED}|{_ANGLE}", re.DOTALL)
_SEPARATED = {
    ",": re.compile(f"{_QUOTED}|{_ANGLE}|,", re.DOTALL),
    ";": re.compile(f"{_QUOTED}|{_ANGLE}|;", re.DOTALL),
}
_IS_TOKEN = re.compile(HEADER_NAME)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# Starts at the first blank of a run only, or a long run would be read once per blank.
_FOLD = re.compile(r"(?<![ \t])[ \t]*(?:\r?\n[ \t]+)+")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def canonical_name(name: str) -> str:
    """Return a header field name in lower case, a compact form spelt out (RFC 3261 §7.3.3)."""
    lowered = name.lower()
    return COMPACT_NAMES.get(lowered, lowered) if len(lowered) == 1 else lowered


def is_token(text: str) -> bool:
    """Tell whether text is a token of RFC 3261 §25.1."""
    return _IS_TOKEN.fullmatch(text) is not None


def has_control(text: str) -> bool:
    """Tell whether text holds a control character other than HTAB; CR, LF and NUL are some."""
    # The first half is the quick answer for nearly all texts.
    return not text.isprintable() and _CONTROL.search(text) is not None


def is_utf8(text: str) -> bool:
    """Tell whether a text can be sent: octets that were no UTF-8 are lone surrogates in it."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unfold(text: str) -> str:
    """Join continuation lines: each fold becomes a single space (RFC 3261 §7.3.1)."""
    return _FOLD.sub(" ", text) if "\n " in text or "\n\t" in text else text


def split_outside(text: str, separator: Literal[",", ";"]) -> tuple[str, ...]:
    """Split at separators outside quotes and angle brackets; empty parts are left out.

    A quote or a bracket that is never closed reaches to the end of text.
    """
    if separator not in text:  # as in every PASSporT, which is long
        only = text.strip(LWS)
        return (only,) if only else ()
    is_plain = '"' not in text and "<" not in text
    parts = text.split(separator) if is_plain else _parts_outside(text, separator)
    return tuple([stripped for part in parts if (stripped := part.strip(LWS))])


def _parts_outside(text: str, separator: Literal[",", ";"]) -> list[str]:
    parts, start = [], 0
    for match in _SEPARATED[separator].finditer(text):
        if match[0] == separator:
            parts.append(text[start : match.start()])
            start = match.end()
    parts.append(text[start:])
    return parts


def split_list(value: str) -> tuple[str, ...]:
    """Split a header field value that is a comma-separated list (RFC 3261 §7.3.1)."""
    return split_outside(value, ",")


def split_parameters(text: str) -> Parameters:
    """Split `;name=value;flag`; values are to the letter, quotes included (RFC 3261 §7.3.1)."""
    parameters: list[tuple[str, str | None]] = []
    for part in split_outside(text, ";"):
        name, equals, value = part.partition("=")
        parameters.append((name.rstrip(LWS), value.lstrip(LWS) if equals else None))
    return tuple(parameters)


def find_parameter(parameters: Parameters, name: str) -> str | None:
    """Return the first value under a name in any case; "" for a flag, None when absent."""
    wanted = name.lower()
    for candidate, value in parameters:
        if candidate.lower() == wanted:
            return value or ""
    return None


def unquote_string(text: str) -> str:
    """Return what a quoted-string says; text that is not one comes back as it is."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return _QUOTED_PAIR.sub(r"\1", text[1:-1])
    return text


def split_name_addr(text: str) -> tuple[str, str, str] | None:
    """Return what stands before, in and after the first angle brackets; None without a pair."""
    if '"' not in text:
        before, _, rest = text.partition("<")
        inside, closing, after = rest.partition(">")
        return (before, inside, after) if closing else None
    for match in _ENCLOSED.finditer(text):
        if match[0].startswith("<"):
            if not match[0].endswith(">"):
                return None
            return text[: match.start()], match[0][1:-1], text[match.end() :]
    return None
