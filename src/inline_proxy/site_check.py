"""Trying to reach a ClearIP site from this host, step by step: each step says what it found."""

import re
import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, NamedTuple

from inline_proxy.config.clearip import ClearIp, Site

PATIENCE_S: Final = 4.0
LARGEST_ANSWER: Final = 65_535
WORST_CLOCK_S: Final = 5
"""What a strict verifier forgives of `iat` is a minute (RFC 8224 §12.1); this is long before."""
SOON_DAYS: Final = 21
_DATE: Final = re.compile(rb"^Date:[ \t]*(?P<date>[^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_STATUS: Final = re.compile(rb"SIP/2\.0 (?P<code>[1-6]\d\d) ")


class Finding(NamedTuple):
    """What a check has found."""

    is_well: bool
    text: str
    remedy: str = ""


def well(text: str) -> Finding:
    """Say what is as it should be."""
    return Finding(is_well=True, text=text)


def fault(text: str, remedy: str) -> Finding:
    """Say what is not, and what would help."""
    return Finding(is_well=False, text=text, remedy=remedy)


def check_site(site: Site, clearip: ClearIp) -> Iterator[Finding]:
    """Resolve, connect, verify, ask; the first failure ends it, as the rest would fail too."""
    place = f"clearip.sites: {site.host}:{site.port}"
    try:
        found = socket.getaddrinfo(site.host, site.port, type=socket.SOCK_STREAM)
    except OSError as error:
        remedy = "check /etc/resolv.conf and the name"
        yield fault(f"{place}: the name does not resolve: {error.strerror}", remedy)
        return
    addresses = sorted({str(each[4][0]) for each in found})
    yield well(f"{place}: resolves to {', '.join(addresses)}")
    for address in addresses:
        yield from _check_address(f"{place} at {address}", (address, site.port), clearip)


def _check_address(place: str, address: tuple[str, int], clearip: ClearIp) -> Iterator[Finding]:
    try:
        stream = socket.create_connection(address, PATIENCE_S)
    except OSError as error:
        remedy = "let TCP to it pass the packet filters on the way"
        yield fault(f"{place}: no TCP connection: {error.strerror or error}", remedy)
        return
    with closing(stream):
        try:
            secured = _context(clearip).wrap_socket(stream, server_hostname=clearip.tls.server_name)
        except (OSError, ValueError) as error:
            remedy = (
                "clearip.tls.ca_file must vouch for it, and clearip.tls.server_name be its name"
            )
            reason = getattr(error, "verify_message", "") or error
            yield fault(f"{place}: TLS refused: {reason}", remedy)
            return
        with closing(secured):
            yield _days_left(place, secured)
            yield from _ask(place, secured, clearip)


def _context(clearip: ClearIp) -> ssl.SSLContext:
    tls = clearip.tls
    own_authorities = None if tls.ca_file == "system" else str(tls.ca_file)
    context = ssl.create_default_context(cafile=own_authorities)
    if tls.certificate is not None and tls.private_key is not None:
        context.load_cert_chain(Path(tls.certificate), Path(tls.private_key))
    return context


def _days_left(place: str, secured: ssl.SSLSocket) -> Finding:
    certificate = secured.getpeercert() or {}
    ends_s = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    days = int((ends_s - time.time()) // 86_400)
    text = f"{place}: {secured.version()}, its certificate has {days} days left"
    return Finding(days >= SOON_DAYS, text, "tell ClearIP's operator that it ends soon")


def _ask(place: str, secured: ssl.SSLSocket, clearip: ClearIp) -> Iterator[Finding]:
    """Send OPTIONS; any response counts, as ClearIP may refuse what is no INVITE."""
    sent_s = time.time()
    try:
        secured.sendall(_options(clearip.domain, secured.getsockname()))
        answer = secured.recv(LARGEST_ANSWER)
    except OSError:
        answer = b""
    status = _STATUS.match(answer)
    if status is None:
        remedy = "enter this host's public address as an SBC in ClearIP"
        yield fault(f"{place}: no answer to OPTIONS", remedy)
        return
    yield well(f"{place}: answers OPTIONS with {status['code'].decode()}")
    date = _DATE.search(answer)
    if date is not None:
        yield from _clock(date["date"].decode(errors="replace"), sent_s)


def _clock(date: str, sent_s: float) -> Iterator[Finding]:
    try:
        there = parsedate_to_datetime(date)
    except ValueError:
        return
    if there.tzinfo is None:
        there = there.replace(tzinfo=UTC)
    off_s = round((datetime.fromtimestamp(sent_s, UTC) - there).total_seconds())
    text = f"clock: {abs(off_s)} s {'ahead of' if off_s > 0 else 'behind'} ClearIP's"
    yield Finding(abs(off_s) <= WORST_CLOCK_S, text, "let systemd-timesyncd or chrony set it")


def _options(domain: str, local: tuple[str, int]) -> bytes:
    host = f"[{local[0]}]" if ":" in local[0] else local[0]
    lines = (
        f"OPTIONS sip:{domain} SIP/2.0",
        f"Via: SIP/2.0/TLS {host}:{local[1]};rport;branch=z9hG4bK{secrets.token_hex(8)}",
        "Max-Forwards: 70",
        f"From: <sip:doctor@{domain}>;tag={secrets.token_hex(8)}",
        f"To: <sip:{domain}>",
        f"Call-ID: {secrets.token_hex(12)}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()
