"""The login to `admin.listen`, where other hosts reach it: HTTP Basic (RFC 7617), over TLS alone.

A browser and Prometheus both know it, so one password file serves both.
"""

import base64
import binascii
import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from inline_proxy.passwords import is_password

MOST_FAILURES: Final = 5
"""Wrong passwords of one address, until it has waited."""
WAIT_S: Final = 60.0
MOST_REMEMBERED: Final = 1000


class Credentials(NamedTuple):
    """A name and a password."""

    user: str
    password: str


def credentials_in(authorization: str) -> Credentials | None:
    """Read an Authorization header; None where it is no Basic one."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    return Credentials(user, password) if scheme.lower() == "basic" and colon else None


class Login:
    """Lets in who knows a password, and makes those wait who guess."""

    def __init__(
        self, users: Mapping[str, str], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._users = users
        self._clock_s = clock_s
        self._failures: dict[str, tuple[int, float]] = {}
        self._known: set[bytes] = set()
        """Hashes of headers that were good: a page asks every second, and scrypt is slow."""

    def must_wait(self, address: str) -> bool:
        """Tell whether an address has guessed too often."""
        failures, until_s = self._failures.get(address, (0, 0.0))
        return failures >= MOST_FAILURES and self._clock_s() < until_s

    def lets_in(self, address: str, authorization: str) -> bool:
        """Tell whether the header holds a good password; a wrong one is counted."""
        fingerprint = hashlib.sha256(authorization.encode("utf-8", "replace")).digest()
        if fingerprint in self._known:
            return True
        if self._is_good(credentials_in(authorization)):
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known.add(fingerprint)
            self._failures.pop(address, None)
            return True
        if authorization:
            self._count_failure(address)
        return False

    def _is_good(self, credentials: Credentials | None) -> bool:
        if credentials is None:
            return False
        kept = self._users.get(credentials.user)
        return kept is not None and is_password(credentials.password, kept)

    def _count_failure(self, address: str) -> None:
        if len(self._failures) >= MOST_REMEMBERED:
            self._failures.clear()
        failures, until_s = self._failures.get(address, (0, 0.0))
        failures = 1 if failures >= MOST_FAILURES and self._clock_s() >= until_s else failures + 1
        self._failures[address] = failures, self._clock_s() + WAIT_S
