"""The 503 by which a query learns that its connection is gone (RFC 3261 §16.9).

A proxy must take a transport error as if the next hop had answered 503. Kamailio does not tell
a transaction that the connection it waits on has closed, so the leg sends it that 503 itself. It
is matched, as every response is, by the branch of the topmost Via, which Kamailio derives from the
request (core/char_msg_val.h). Should a version do so otherwise, the 503 matches nothing, and the
call goes on when its time is over.
"""

import hashlib
import re
from typing import NamedTuple

from clearip_proxy.sip.message import HeaderFields, parse_headers

MARK = "Connection-Lost"
"""The header field that only these responses have."""
PLANTED = "planted"
"""Its value where somebody else than ClearIP has sent a final response."""
_TAG = re.compile(r";\s*tag\s*=\s*([^;\s]+)", re.IGNORECASE)
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*\w+\s+(\[[^\]]+\]|[^\s;,:]+)\s*(?::\s*(\d+))?([^,]*)", re.IGNORECASE
)
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;\s]+)", re.IGNORECASE)


class Waiting(NamedTuple):
    """A query that waits for ClearIP's answer."""

    connection: int
    """The connection that it was sent on."""
    hash_index: int
    """Where tm keeps its transaction."""
    attempts: int
    """How many branches its transaction has by now, at most."""
    request: str
    """The head of the INVITE as the caller sent it."""

    def to_text(self) -> str:
        """Return the text that `from_text` reads."""
        return f"{self.connection} {self.hash_index} {self.attempts}\n{self.request}"

    @classmethod
    def from_text(cls, text: str) -> "Waiting":
        """Read what `to_text` wrote."""
        numbers, _, request = text.partition("\n")
        connection, hash_index, attempts = (int(number) for number in numbers.split(" "))
        return cls(connection, hash_index, attempts, request)


def lost(waiting: Waiting) -> tuple[str, ...]:
    """Return the responses that end the branch: one each, as it is one of the last few.

    A branch that has ended takes no further response. None for a request that lacks what its
    transaction is known by.
    """
    fields = parse_headers(waiting.request)
    key = _transaction_key(waiting.request, fields)
    if key is None:
        return ()
    copied = "".join(
        f"{name}: {value}\r\n"
        for name in ("From", "To", "Call-ID", "CSeq")
        for value in fields.values(name)[:1]
    )
    return tuple(
        "SIP/2.0 503 Service Unavailable\r\n"
        f"Via: SIP/2.0/TLS localhost;branch={_branch(waiting.hash_index, key, index)}\r\n"
        f"{copied}{MARK}: {waiting.connection}\r\nContent-Length: 0\r\n\r\n"
        for index in range(waiting.attempts)
    )


def _transaction_key(request: str, fields: HeaderFields) -> str | None:
    """Return what tm knows the transaction of an INVITE by (`char_msg_val` of Kamailio)."""
    from_, call_id, cseq, via = (fields.values(n) for n in ("From", "Call-ID", "CSeq", "Via"))
    words = request.lstrip("\r\n").partition("\n")[0].split()
    if not (from_ and call_id and cseq and via) or len(words) < 3:  # noqa: PLR2004 - §7.1
        return None
    tag = _TAG.search(from_[0].rpartition(">")[2])
    sent_by = _VIA.match(via[0])
    if sent_by is None:
        return None
    branch = _BRANCH.search(sent_by[3])
    parts = (
        tag[1] if tag else "",
        call_id[0],
        words[1],
        cseq[0].split()[0],
        sent_by[1],
        sent_by[2] or "",
        branch[1] if branch else "",
    )
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def _branch(hash_index: int, key: str, index: int) -> str:
    """Return the branch parameter that tm gives to a branch (`branch_builder` of Kamailio)."""
    return f"z9hG4bK{_reversed(hash_index)}.{key}.{_reversed(index)}"


def _reversed(number: int) -> str:
    return f"{number:x}"[::-1]
