"""The head of a SIP message (RFC 3261 §7): start line and header fields, never the body."""

import re
from dataclasses import dataclass

from clearip_proxy.sip.faults import first_faults
from clearip_proxy.sip.grammar import canonical_name, has_control, is_token, unfold

_STATUS_LINE = re.compile(r"(?:SIP|sip)/2\.0[ \t]+([1-6][0-9]{2})(?: (.*))?", re.DOTALL)
USUAL_NAMES = {
    name: canonical_name(name)
    for name in (
        "Via",
        "Record-Route",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "Identity",
        "X-Identity",
        "P-Asserted-Identity",
        "Reason",
        "Server",
        "Date",
        "Allow",
        "Supported",
        "Content-Type",
        "Content-Length",
    )
}
"""Names as nearly everybody spells them, which need no check, and their canonical form."""
_FOLDED_LENGTH = re.compile(
    r"\r\n(?:content-length|l)[ \t]*:[ \t]*(?:[0-9]+[ \t]*)?\r\n[ \t]", re.IGNORECASE
)
_REASON_PHRASE_FAULT = "status line: control character in the reason phrase"


class MalformedMessage(ValueError):
    """The text has no status line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFields:
    """Header fields in the order received: (canonical name, value unfolded)."""

    headers: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]
    """Why header lines were skipped, by number of the unfolded line; never what they held."""

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values under a name, in order, under its compact form too."""
        wanted = canonical_name(name)
        return tuple([value for field, value in self.headers if field == wanted])


@dataclass(frozen=True, slots=True, kw_only=True)
class SipResponse(HeaderFields):
    """A response without its body (RFC 3261 §7.2)."""

    status: int
    reason_phrase: str
    """To the letter; empty when it held a control character, which `faults` then says."""


def parse_response(raw: str | bytes) -> SipResponse:
    """Read a response; bytes, and str made of bytes, are UTF-8 with surrogate escapes.

    Raises `MalformedMessage` when there is no status line, and nothing else.
    """
    start_line, rest = _split_head(raw)
    match = _STATUS_LINE.fullmatch(start_line)
    if match is None:
        raise MalformedMessage("no status line")
    reason_phrase = match[2] or ""
    is_clean = not has_control(reason_phrase)
    fields = _parse_lines(rest)
    return SipResponse(
        headers=fields.headers,
        faults=fields.faults if is_clean else (*fields.faults, _REASON_PHRASE_FAULT),
        status=int(match[1]),
        reason_phrase=reason_phrase if is_clean else "",
    )


def is_framed(raw: str | bytes) -> bool:
    """Tell whether the header lines end as they must (RFC 3261 §7), and hold no null.

    Kamailio takes a bare line feed for a line's end, and sends it on, as it does a Content-Length
    that is folded over two lines. Who reads the connection to ClearIP in another way would wait
    for the end of such a request, or take its body for another, and every call behind it with it.
    """
    text = raw.decode("latin-1") if isinstance(raw, bytes) else raw
    head, end, _ = text.lstrip("\r\n").partition("\r\n\r\n")
    lines = head.count("\r\n")
    is_lined = head.count("\n") == head.count("\r") == lines and "\0" not in head
    return bool(end) and is_lined and not _FOLDED_LENGTH.search(head)


def parse_headers(raw: str | bytes) -> HeaderFields:
    """Read the header fields of a request or a response; its first line is passed over."""
    return _parse_lines(_split_head(raw)[1])


def _split_head(raw: str | bytes) -> tuple[str, str]:
    """Return the start line and the header lines; line ends are CRLF or LF."""
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    text = text.lstrip("\r\n")  # RFC 3261 §7.5: empty lines before the start line are ignored
    ends = [end for end in (text.find("\n\r\n"), text.find("\n\n")) if end >= 0]
    start_line, _, rest = text[: min(ends, default=None)].partition("\n")
    return start_line.removesuffix("\r"), rest.removesuffix("\r")


def _parse_lines(head: str) -> HeaderFields:
    """Read header lines; a malformed one is skipped and becomes a fault."""
    headers: list[tuple[str, str]] = []
    faults: list[str] = []
    for number, line in enumerate(unfold(head).split("\n"), start=1):
        before, colon, after = line.partition(":")
        value = after.removesuffix("\r").strip(" \t")
        # The first half is the quick answer for nearly all lines of nearly all messages.
        if colon and before in USUAL_NAMES and value.isprintable():
            headers.append((USUAL_NAMES[before], value))
        elif fault := _fault_of(line):
            faults.append(f"header line {number}: {fault}")
        elif colon:
            headers.append((canonical_name(before.rstrip(" \t")), value))
    return HeaderFields(headers=tuple(headers), faults=first_faults(faults) if faults else ())


def _fault_of(line: str) -> str:
    """Say what is wrong with a header line; "" for nothing, as with an empty line."""
    before, colon, after = line.partition(":")
    name = before.rstrip(" \t")
    if not colon or not is_token(name):
        return "no field name" if line.strip(" \t\r") else ""
    if has_control(after.removesuffix("\r").strip(" \t")):
        return f"control character in {name}"
    return ""
