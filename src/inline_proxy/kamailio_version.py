"""Which Kamailio is installed, and what follows from it."""

import re
import subprocess
from typing import NamedTuple

from inline_proxy.kamailio_environment import kamailio_environment

PACKAGES = ("kamailio", "kamailio-tls-modules", "kamailio-python3-modules")
"""Debian's packages that hold every module which is loaded."""
REMEDY = f"install the packages {', '.join(PACKAGES)}"


class KamailioMissing(RuntimeError):
    """There is no Kamailio to run, or it does not say its version."""


class KamailioVersion(NamedTuple):
    """A version of Kamailio, such as 5.6.3."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tcp_workers(self) -> int:
        """Processes that read TCP and TLS.

        Before OpenSSL 3 got its own threads mode, two of them corrupt memory when clients drop
        TLS handshakes early.
        """
        return 4 if self.has_tls_threads_mode else 1

    @property
    def opens_listeners_with_unresolved_names(self) -> bool:
        """Whether a name that is advertised may have no address when Kamailio starts."""
        return self >= (5, 8, 0)

    @property
    def drops_large_messages(self) -> bool:
        """Whether a message over 32,767 bytes is dropped without a word unless told otherwise."""
        return self >= (6, 0, 0)

    @property
    def has_tls_threads_mode(self) -> bool:
        """Whether OpenSSL 3's per-thread state can be kept apart between processes."""
        return self >= (5, 8, 0)


def installed_version() -> KamailioVersion:
    """Ask the installed Kamailio; raises `KamailioMissing`."""
    try:
        said = subprocess.run(
            ["kamailio", "-v"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
            env=kamailio_environment(),
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise KamailioMissing(f"kamailio -v cannot be run ({error}); {REMEDY}") from error
    match = re.search(r"version: kamailio (\d+)\.(\d+)\.(\d+)", said)
    if match is None:
        raise KamailioMissing(f"kamailio -v says no version, but {said[:80]!r}; {REMEDY}")
    return KamailioVersion(*map(int, match.groups()))
