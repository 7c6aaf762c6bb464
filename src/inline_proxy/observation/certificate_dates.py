"""Until when the certificates last: the proxy's own, and those that ClearIP's sites have shown."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509


class CertificateDate(NamedTuple):
    """A certificate, and the end of its time."""

    owner: str
    """`proxy`, or the URI of a ClearIP site."""
    ends: datetime


def certificate_dates(own: Path, sites: Mapping[str, str | int]) -> Iterator[CertificateDate]:
    """Yield those that can be read; `sites` is the shared table of that name."""
    with suppress(OSError, ValueError):
        yield CertificateDate("proxy", _ends(own.read_bytes()))
    for key, pem in sites.items():
        uri, _, what = key.rpartition(" ")
        if what == "certificate":
            with suppress(ValueError):
                yield CertificateDate(uri, _ends(str(pem).encode()))


def _ends(pem: bytes) -> datetime:
    # Debian 12's library has no date with a zone yet; this one is in UTC by definition.
    certificate = x509.load_pem_x509_certificate(pem)
    aware: datetime | None = getattr(certificate, "not_valid_after_utc", None)
    return aware or certificate.not_valid_after.replace(tzinfo=UTC)
