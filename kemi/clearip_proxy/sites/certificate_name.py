"""Whether a certificate carries the name that was asked for (RFC 9525)."""

from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True)
class CertificateNames:
    """The names of a certificate: its subjectAltName alone, as RFC 9525 §2 has it."""

    dns: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the names as a person wants to read them."""
        return ", ".join((*self.dns, *self.ip)) or "none"


def carries(names: CertificateNames, wanted: str) -> bool:
    """Tell whether the certificate is one for a host name or an address."""
    try:
        address = ip_address(wanted)
    except ValueError:
        return any(_matches(name, wanted) for name in names.dns)
    return any(ip_address(name) == address for name in names.ip)


def _matches(presented: str, wanted: str) -> bool:
    """Compare names without regard to case; `*` stands for one whole leftmost label (§6.3)."""
    presented, wanted = presented.lower().rstrip("."), wanted.lower().rstrip(".")
    if not presented.startswith("*."):
        return presented == wanted
    first, dot, rest = wanted.partition(".")
    return bool(first and dot) and rest == presented[2:] and "." in rest
