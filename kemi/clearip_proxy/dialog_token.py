"""The proof that a request belongs to a dialog that this proxy, or one of its group, has set up.

It travels in the proxy's Record-Route and comes back in the Route of every request inside the
dialog (RFC 3261 §12.2.1.1), so that no proxy has to remember dialogs. Only who has the key can
make one.
"""

import re
from dataclasses import dataclass
from hashlib import blake2s
from hmac import compare_digest

PARAMETER = "dialog"
"""The URI parameter of Record-Route and Route that holds it."""
_DIGEST_BYTES = 10
"""80 bits: more than anybody can try, in little room of a UDP packet."""
_OF_FIRST_URI = re.compile(rf"[^>]*?;{PARAMETER}=([0-9a-z.]+)", re.IGNORECASE)

_OF_ANY_URI = re.compile(rf";{PARAMETER}=([0-9a-z.]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DialogKeys:
    """The keys of a group of proxies: the first signs, each of them is good for checking."""

    keys: tuple[bytes, ...] = ()
    """Of at most 32 bytes."""

    def token(self, call_id: str, caller_tag: str, source: str = "") -> str:
        """Make the token of every dialog that an INVITE with this Call-ID and From tag begins.

        `source` names, by a key of its own making (letters and digits), the limited source that
        the call counts for; "" for none. Raises `IndexError` without a key.
        """
        digest = _digest(self.keys[0], call_id, caller_tag, source)
        return f"{digest}.{source}" if source else digest

    def proves(self, token: str, call_id: str, from_tag: str, to_tag: str) -> bool:
        """Tell whether a request with these identifiers is inside a dialog that has the token.

        The caller's tag is the From tag of its own requests and the To tag of the other side's.
        """
        given, _, source = token.lower().partition(".")
        if not given:
            return False
        for key in self.keys:
            for tag in (from_tag, to_tag):
                if compare_digest(_digest(key, call_id, tag, source), given):
                    return True
        return False


def token_in(route: str) -> str:
    """Return the token of the first URI in a Route header field or a Request-URI; "" for none."""
    found = _OF_FIRST_URI.match(route)
    return found[1] if found else ""


def tokens_in(record_route: str) -> list[str]:
    """Return what may be a token in any URI of a Record-Route header field."""
    return _OF_ANY_URI.findall(record_route)


def source_of(token: str) -> str:
    """Return the limited source that a token names; "" for none."""
    return token.partition(".")[2].lower()


def _digest(key: bytes, call_id: str, tag: str, source: str) -> str:
    """Sign with keyed BLAKE2 (RFC 7693 §2.9), a third of the cost of an HMAC with SHA-256."""
    # A line feed is part of none of them, so no two triples are signed alike.
    text = f"{source}\n{tag}\n{call_id}".encode("utf-8", "surrogateescape")
    return blake2s(text, key=key, digest_size=_DIGEST_BYTES).hexdigest()
