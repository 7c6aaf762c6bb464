"""Trying to reach a ClearIP site from this host, step by step: each step says what it found."""

import secrets
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from inline_proxy.config.clearip import ClearIp, Site
from inline_proxy.finding import Finding, fault, well
from inline_proxy.site_answer import read_answer

PATIENCE_S: Final = 4.0
LARGEST_ANSWER: Final = 65_535
SOON_DAYS: Final = 21


def check_site(
    site: Site, clearip: ClearIp, partitions: Iterable[str | None] = ()
) -> Iterator[Finding]:
    """Resolve, connect, verify, ask; the first failure ends it, as the rest would fail too.

    `partitions` are those of single sources, asked for besides the one of all.
    """
    asked = (clearip.partition, *partitions)
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
        yield from _check_address(f"{place} at {address}", (address, site.port), clearip, asked)


def _check_address(
    place: str, address: tuple[str, int], clearip: ClearIp, partitions: Iterable[str | None]
) -> Iterator[Finding]:
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
            yield from _ask(place, secured, clearip, partitions)


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


def _ask(
    place: str, secured: ssl.SSLSocket, clearip: ClearIp, partitions: Iterable[str | None]
) -> Iterator[Finding]:
    """Send OPTIONS for every partition; any response counts, ClearIP may refuse what is no INVITE.

    Where the host is seen, and the clock, are told once.
    """
    local = secured.getsockname()
    told: set[str] = set()
    for partition in dict.fromkeys(partitions):
        domain = f"{partition}.{clearip.domain}" if partition else clearip.domain
        sent_s = time.time()
        try:
            secured.sendall(_options(domain, local))
            answer = secured.recv(LARGEST_ANSWER)
        except OSError:
            answer = b""
        for finding in read_answer(place, domain, answer, local[0], sent_s):
            if finding.text not in told:
                told.add(finding.text)
                yield finding
        if not answer:
            return


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
