"""Certificates that the proxy makes for itself, and how they reach the disk."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DEFAULT_LIFETIME: Final = timedelta(days=3650)
CLOCK_TOLERANCE: Final = timedelta(hours=1)
PRIVATE: Final = 0o600
PUBLIC: Final = 0o644
COMMON_NAME_LIMIT: Final = 64  # ub-common-name, RFC 5280 appendix A


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A certificate and its private key, both PEM; the key is PKCS#8 and not encrypted."""

    certificate: bytes
    private_key: bytes

    def write(self, certificate_file: Path, private_key_file: Path) -> None:
        """Write both files, each in one step; the key first and readable by its owner alone.

        Raises `OSError` when a directory does not exist or may not be written.
        """
        write_atomically(private_key_file, self.private_key, PRIVATE)
        write_atomically(certificate_file, self.certificate, PUBLIC)


def self_signed(names: Sequence[str], *, lifetime: timedelta = DEFAULT_LIFETIME) -> CertificatePair:
    """Make a self-signed server certificate for host names and IP addresses (RFC 5922 §4).

    Raises `ValueError` when no name is given.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = common_name(names)
    certificate = (
        certificate_builder(subject, subject, key.public_key(), lifetime)
        .add_extension(alternative_names(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return CertificatePair(certificate.public_bytes(serialization.Encoding.PEM), private_pem(key))


def certificate_builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    """Begin a certificate that is valid from an hour ago; a negative lifetime makes it expired."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + lifetime) - CLOCK_TOLERANCE)
        .not_valid_after(now + lifetime)
    )


def common_name(names: Sequence[str]) -> x509.Name:
    """Give the subject for a certificate: its first name, cut to what a common name may hold."""
    if not names:
        message = "a certificate needs at least one name"
        raise ValueError(message)
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:COMMON_NAME_LIMIT])])


def alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    """Give the names as subjectAltName: addresses as iPAddress, everything else as dNSName."""
    return x509.SubjectAlternativeName([_general_name(name) for name in names])


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Give a private key as PKCS#8 PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write_atomically(path: Path, content: bytes, mode: int, *, is_durable: bool = True) -> None:
    """Replace a file in one step, so that a reader sees the old content or all of the new.

    `is_durable` waits until the disk has it, so that this holds across a loss of power too.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            if is_durable:
                os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _general_name(name: str) -> x509.GeneralName:
    """Give one subjectAltName entry."""
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
