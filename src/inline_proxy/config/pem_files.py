"""Files that the configuration names: each must be there, readable, and hold what it should."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

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

if TYPE_CHECKING:  # the name is younger than the cryptography of Debian 12
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

SYSTEM: Final = "system"

# What the TLS settings of Kamailio take without quoting, so that no path ends a setting.
_PATH: Final = re.compile(r"[A-Za-z0-9/._+@,~-]+")

# RFC 7468 §5.1; the text between the lines is left to the library.
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)


def certificate_file(value: object) -> Path:
    """A readable file of certificates in PEM, the own one first, then its chain."""
    path = absolute_path(value)
    certified_key(path)
    return path


def authorities_file(value: object) -> Path | str:
    """`system`, or a readable file of certificates in PEM."""
    if value == SYSTEM:
        return SYSTEM
    path = absolute_path(value)
    certificates(path)
    return path


def private_key_file(value: object) -> Path:
    """A readable file of a private key in PEM, without a passphrase."""
    path = absolute_path(value)
    public_half(path)
    return path


def client_authorities_file(value: object) -> Path:
    """A readable file of certificates in PEM."""
    path = absolute_path(value)
    certificates(path)
    return path


def certificates(path: Path) -> list[Certificate]:
    """The certificates in the file, at least one; raises `Refused`."""
    blocks = _CERTIFICATE.findall(content(path))
    if not blocks:
        raise Refused("names a file that holds no certificate in PEM")
    try:
        return [load_pem_x509_certificate(block) for block in blocks]
    except ValueError:
        raise Refused("names a file with a damaged certificate") from None


def certified_key(path: Path) -> bytes:
    """The public key in the first certificate of the file; raises `Refused`."""
    try:
        return _encoded(certificates(path)[0].public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        if isinstance(error, Refused):
            raise
        raise Refused("names a certificate whose key is of an unknown kind") from None


def public_half(path: Path) -> bytes:
    """The public key that belongs to the private key in the file; raises `Refused`."""
    pem = content(path)
    try:
        return _encoded(load_pem_private_key(pem, password=None).public_key())
    except TypeError:
        wrong = "names a private key with a passphrase, which nobody is there to type"
    except (ValueError, UnsupportedAlgorithm):
        wrong = "names a file that holds no usable private key in PEM"
    raise Refused(wrong)


def _encoded(public_key: "PublicKeyTypes") -> bytes:
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def absolute_path(value: object) -> Path:
    """A path that Kamailio's settings can hold; raises `Refused`."""
    # Kamailio runs in another directory than the operator.
    if not text(value).startswith("/"):
        raise Refused("is not an absolute path")
    if _PATH.fullmatch(text(value)) is None:
        raise Refused("has a character other than letters, digits and /._+@,~-")
    return Path(text(value))


def content(path: Path) -> bytes:
    """What a readable file holds; raises `Refused`."""
    try:
        if path.exists() and not path.is_file():
            raise Refused("names something else than a file")
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"names a file that cannot be read: {error.strerror}") from None


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


def pem_authorities() -> Value:
    """A key that names a file of certificate authorities, or null."""
    return Value(
        client_authorities_file,
        wrong="is not the path of a file",
        allowed="the absolute path of a PEM file with certificates, or null",
        null=True,
    )
