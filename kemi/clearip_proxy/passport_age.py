"""How old a PASSporT is. It is read, never verified: that is ClearIP's task."""

import binascii
import json
from base64 import urlsafe_b64decode
from functools import lru_cache

from clearip_proxy.response_context import HeaderChanges

REMEMBERED = 64
"""PASSporTs whose age each process remembers: every attempt of a call asks for the same."""


@lru_cache(maxsize=REMEMBERED)
def issued_at(identity: str) -> int | None:
    """Return the `iat` claim of an Identity value (RFC 8225 §5.1.1), None where there is none.

    The compact form (RFC 8225 §7) carries no claims, and so no `iat`.
    """
    parts = identity.partition(";")[0].split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return None
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    iat = claims.get("iat") if isinstance(claims, dict) else None
    return iat if isinstance(iat, int) else None


def is_stale(changes: HeaderChanges, max_age_s: int, unix_s: int) -> bool:
    """Tell whether a verifier would find an added PASSporT too old (RFC 8224 §6.2.2)."""
    issued = (issued_at(value) for name, value in changes.added if name == "Identity")
    return any(iat is not None and unix_s - iat > max_age_s for iat in issued)
