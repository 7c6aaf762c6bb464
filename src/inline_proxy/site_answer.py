"""What ClearIP's answer to OPTIONS tells: where it sees this host, its clock, a refusal."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from inline_proxy.finding import Finding, fault, well

WORST_CLOCK_S: Final = 5
"""What a strict verifier forgives of `iat` is a minute (RFC 8224 §12.1); this is long before."""
FORBIDDEN: Final = 403
_DATE: Final = re.compile(rb"^Date:[ \t]*(?P<date>[^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_STATUS: Final = re.compile(rb"SIP/2\.0 (?P<code>[1-6]\d\d) ")
_VIA: Final = re.compile(
    rb"^(?:Via|v)[ \t]*:[ \t]*(?P<via>[^\r\n,]+)", re.IGNORECASE | re.MULTILINE
)
_RECEIVED: Final = re.compile(rb";[ \t]*received=\[?(?P<address>[0-9a-fA-F:.]+)", re.IGNORECASE)
_RPORT: Final = re.compile(rb";[ \t]*rport=(?P<port>\d+)", re.IGNORECASE)


def status_of(answer: bytes) -> int | None:
    """Return the code of a response; None for what is none."""
    found = _STATUS.match(answer)
    return int(found["code"]) if found else None


def read_answer(
    place: str, asked: str, answer: bytes, local: str, sent_s: float
) -> Iterator[Finding]:
    """Yield what a response tells; `asked` is the domain that was asked, `local` this address."""
    status = status_of(answer)
    if status is None:
        remedy = "enter this host's public address as an SBC in ClearIP"
        yield fault(f"{place}: no answer to OPTIONS for {asked}", remedy)
        return
    if status == FORBIDDEN:
        remedy = (
            "enter this host's public address and the partition in ClearIP, or correct "
            "clearip.partition and trusted[].partition"
        )
        yield fault(f"{place}: refuses {asked} with 403", remedy)
    else:
        yield well(f"{place}: answers OPTIONS for {asked} with {status}")
    yield from _public_address(place, answer, local)
    yield from _clock(answer, sent_s)


def _public_address(place: str, answer: bytes, local: str) -> Iterator[Finding]:
    """Say where the host was seen: `received` of the Via (RFC 3261 §18.2.1, RFC 3581 §4)."""
    via = _VIA.search(answer)
    if via is None:
        return
    received, rport = _RECEIVED.search(via["via"]), _RPORT.search(via["via"])
    if received is None:
        return
    seen = received["address"].decode()
    port = f" port {rport['port'].decode()}" if rport else ""
    way = "without NAT" if seen == local else f"behind NAT, as this host sends from {local}"
    yield well(f"{place}: sees this host at {seen}{port}, {way}; enter {seen} as an SBC in ClearIP")


def _clock(answer: bytes, sent_s: float) -> Iterator[Finding]:
    date = _DATE.search(answer)
    try:
        there = parsedate_to_datetime(date["date"].decode(errors="replace")) if date else None
    except ValueError:
        return
    if there is None:
        return
    if there.tzinfo is None:
        there = there.replace(tzinfo=UTC)
    off_s = round((datetime.fromtimestamp(sent_s, UTC) - there).total_seconds())
    text = f"clock: {abs(off_s)} s {'ahead of' if off_s > 0 else 'behind'} ClearIP's"
    yield Finding(abs(off_s) <= WORST_CLOCK_S, text, "let systemd-timesyncd or chrony set it")
