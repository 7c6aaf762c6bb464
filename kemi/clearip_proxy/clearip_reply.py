"""What of a ClearIP site's responses the transaction may act on, and what the caller may see.

A redirect server rings nobody and accepts nothing. Kamailio forwards 18x and 2xx to the caller
by itself, before anything could decide about them, so they are taken as something else first.
"""

from clearip_proxy.message import parse_headers

TRYING = 100
BAD_GATEWAY = 502
TELLING_HEADERS = ("Contact", "Record-Route", "Server", "User-Agent", "Warning")
"""What names ClearIP's hosts, addresses or software, and is of no use to the caller."""

_MULTIPLE_CHOICES = 300
_FIRST_FAILURE = 400
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


def hidden_from_caller(status: int) -> tuple[str, ...]:
    """Return the header fields that a response loses, should it go to the caller.

    A redirection never does, and most answers are one.
    """
    return TELLING_HEADERS if status >= _FIRST_FAILURE else ()


def as_bad_gateway(raw: str) -> str:
    """Return the response that stands for one by which a site has accepted the call.

    It has what a transaction needs to be found by (RFC 3261 §8.2.6.2), and nothing of what the
    site offers.
    """
    received = parse_headers(raw)
    lines = [
        f"{name}: {_as_utf8(value)}" for name in _NEEDED_HEADERS for value in received.values(name)
    ]
    return _message(f"SIP/2.0 {BAD_GATEWAY} Bad Gateway", *lines, f"Reason: {_REASON}")


def is_for_the_caller(status: int, *, is_from_clearip: bool, is_credible: bool) -> bool:
    """Tell whether a response may be forwarded whose transaction has been forgotten.

    Kamailio forwards such a response along its Via (RFC 3261 §16.7). The answer of a ClearIP
    site that comes far too late is nothing for the caller, nor is any redirection. And anybody
    can write a Via that leads anywhere: credible is who is trusted, or proves the dialog.
    """
    is_redirection = status // 100 == 3  # noqa: PLR2004 - its class
    return is_credible and not is_from_clearip and not is_redirection


def _message(*lines: str) -> str:
    return "\r\n".join((*lines, "Content-Length: 0", "", ""))


def _as_utf8(value: str) -> str:
    """Replace what Kamailio could not be handed as text."""
    return value.encode(errors="replace").decode()
