"""What of a ClearIP site's responses the transaction may act on, and what the caller may see.

A redirect server rings nobody and accepts nothing. Kamailio forwards 18x and 2xx to the caller
by itself, before anything could decide about them, so they are taken as something else first.
"""

from collections.abc import Callable, Iterable

from clearip_proxy.sip.message import parse_headers
from clearip_proxy.sites.lost_calls import MARK, PLANTED

TRYING = 100
BAD_GATEWAY = 502
TELLING_HEADERS = ("Contact", "Record-Route", "Server", "User-Agent", "Warning")
"""What names ClearIP's hosts, addresses or software, and is of no use to the caller."""

_KEPT_HEADERS = frozenset(
    {
        *("via", "from", "to", "call-id", "cseq", "content-type", "content-length"),
        *("www-authenticate", "proxy-authenticate"),  # the caller must answer with what they say
        *("reason", "identity"),  # made for whoever gets the response (RFC 8688, RFC 8224)
    }
)
"""What a response needs, or says to its reader on purpose; in canonical spelling."""

_MULTIPLE_CHOICES = 300
_FIRST_FAILURE = 400
_SERVICE_UNAVAILABLE = 503
_NEEDED_HEADERS = ("Via", "From", "To", "Call-ID", "CSeq")
_REASON = 'SIP;cause=502;text="ClearIP accepted the call"'


def taken_as(status: int) -> int:
    """Return the status that a site's response counts as.

    Ringing is no more than a 100: it keeps the site's time as a 100 does. A call that a redirect
    server accepts is an invalid response from downstream (RFC 3261 §21.5.3).
    """
    if TRYING < status < _MULTIPLE_CHOICES:
        return TRYING if status < 200 else BAD_GATEWAY  # noqa: PLR2004 - the class of successes
    return status


def hidden_from_caller(
    status: int, message: Callable[[], str | bytes], hosts: Iterable[str]
) -> tuple[str, ...]:
    """Return the header fields that a response loses, should it go to the caller.

    Those that tell by what they are, and any other that names one of ClearIP's `hosts`, which are
    in lower case. A redirection never goes to the caller, and most answers are one.
    """
    if status < _FIRST_FAILURE:
        return ()
    naming = (
        name
        for name, value in parse_headers(message()).headers
        if name not in _KEPT_HEADERS and any(host in value.lower() for host in hosts)
    )
    return tuple(dict.fromkeys((*TELLING_HEADERS, *naming)))


def as_bad_gateway(raw: str) -> str:
    """Return the response that stands for one by which a site has accepted the call.

    It has what a transaction needs to be found by (RFC 3261 §8.2.6.2), and nothing of what the
    site offers.
    """
    start_line = f"SIP/2.0 {BAD_GATEWAY} Bad Gateway"
    return _message(start_line, *_needed_lines(raw), f"Reason: {_REASON}")


def tells_of_a_loss(status: int, raw: str | bytes) -> bool:
    """Tell the leg's own word that a connection is gone, which it sends the proxy itself.

    Who else sends one has the next site asked, and that is all.
    """
    return status == _SERVICE_UNAVAILABLE and bool(parse_headers(raw).values(MARK))


def in_place_of_planted(status: int, raw: str | bytes) -> str:
    """Return the response that stands for one that did not come from ClearIP.

    A provisional one changes nothing. A final one has stopped Kamailio's timers when it can first
    be looked at, so the branch must end: by the 503 that has the next site asked.
    """
    if status < 200:  # noqa: PLR2004 - the class of successes begins
        return _message(f"SIP/2.0 {TRYING} Trying", *_needed_lines(raw))
    start_line = f"SIP/2.0 {_SERVICE_UNAVAILABLE} Service Unavailable"
    return _message(start_line, *_needed_lines(raw), f"{MARK}: {PLANTED}")


def is_for_the_caller(status: int, *, is_from_clearip: bool, is_credible: bool) -> bool:
    """Tell whether a response may be forwarded whose transaction has been forgotten.

    Kamailio forwards such a response along its Via (RFC 3261 §16.7). The answer of a ClearIP
    site that comes far too late is nothing for the caller, nor is any redirection. And anybody
    can write a Via that leads anywhere: credible is who is trusted, or proves the dialog.
    """
    is_redirection = status // 100 == 3  # noqa: PLR2004 - its class
    return is_credible and not is_from_clearip and not is_redirection


def _needed_lines(raw: str | bytes) -> list[str]:
    received = parse_headers(raw)
    return [
        f"{name}: {_as_utf8(value)}" for name in _NEEDED_HEADERS for value in received.values(name)
    ]


def _message(*lines: str) -> str:
    return "\r\n".join((*lines, "Content-Length: 0", "", ""))


def _as_utf8(value: str) -> str:
    """Replace what Kamailio could not be handed as text."""
    return value.encode(errors="replace").decode()
