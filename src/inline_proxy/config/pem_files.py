"""Files that the configuration names: each must be there, readable, and hold what it should."""

import re
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import Certificate, load_pem_x509_certificate

from inline_proxy.config.faults import Refused
from inline_proxy.config.scalars import text
from inline_proxy.config.values import Value

SYSTEM: Final = "system"

# RFC 7468 §5.1; the text between the lines is left to the library.
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)


def certificate_file(value: object) -> Path:
    """A readable file of certificates in PEM, the own one first, then its chain."""
    path = _absolute(value)
    certificates(path)
    return path


def authorities_file(value: object) -> Path | str:
    """`system`, or a readable file of certificates in PEM."""
    return SYSTEM if value == SYSTEM else certificate_file(value)


def private_key_file(value: object) -> Path:
    """A readable file of a private key in PEM, without a passphrase."""
    path = _absolute(value)
    public_half(path)
    return path


def certificates(path: Path) -> list[Certificate]:
    """The certificates in the file, at least one; raises `Refused`."""
    blocks = _CERTIFICATE.findall(_content(path))
    if not blocks:
        raise Refused("names a file that holds no certificate in PEM")
    try:
        return [load_pem_x509_certificate(block) for block in blocks]
    except ValueError:
        raise Refused("names a file with a damaged certificate") from None


def public_half(path: Path) -> bytes:
    """The public key that belongs to the private key in the file; raises `Refused`."""
    try:
        private_key = load_pem_private_key(_content(path), password=None)
    except TypeError:
        raise Refused("names a private key with a passphrase, which nobody is there to type") from (
            None
        )
    except (ValueError, UnsupportedAlgorithm):
        raise Refused("names a file that holds no usable private key in PEM") from None
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def is_pair(certificate: Path, private_key: Path) -> bool:
    """Whether the private key is that of the first certificate; both files are known to be good."""
    public_key = certificates(certificate)[0].public_key()
    encoded = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded == public_half(private_key)


def _absolute(value: object) -> Path:
    # A null character cannot be in a path; Kamailio runs in another directory than the operator.
    if "\0" in text(value) or not text(value).startswith("/"):
        raise Refused("is not an absolute path")
    return Path(text(value))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, UnicodeEncodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise Refused(f"cannot be read: {reason or 'no such name'}") from None


def pem_certificate() -> Value:
    """A key that names a certificate file, or null."""
    return Value(
        certificate_file,
        wrong="is not the path of a file",
        allowed="the absolute path of a PEM file with the certificate and its chain, or null",
        null=True,
    )


def pem_private_key() -> Value:
    """A key that names a private key file, or null; its value is never repeated in a message."""
    return Value(
        private_key_file,
        wrong="is not the path of a file",
        allowed="the absolute path of a PEM file with a private key without passphrase, or null",
        null=True,
        secret=True,
    )
