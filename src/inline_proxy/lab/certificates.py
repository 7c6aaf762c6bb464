"""The lab's certificate authority, and the certificates that a bad ClearIP could show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from inline_proxy.certificates import (
    PUBLIC,
    CertificatePair,
    alternative_names,
    certificate_builder,
    common_name,
    private_pem,
    self_signed,
    write_atomically,
)

CLEARIP_NAMES: Final = ("sip.clearip.com", "*.sip.clearip.com", "127.0.0.1", "::1")
WRONG_NAMES: Final = ("sip.other.example",)
LIFETIME: Final = timedelta(days=365)
EXPIRED: Final = timedelta(days=-1)


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A root of trust of the lab's own; nothing outside the lab trusts it."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, name: str = "In-line Proxy Lab CA") -> Self:
        """Make a new authority with a new key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = common_name([name])
        builder = (
            certificate_builder(subject, subject, key.public_key(), LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(_ca_key_usage(), critical=True)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @property
    def pem(self) -> bytes:
        """The authority's own certificate as PEM: what a client puts into its `ca_file`."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self, names: Sequence[str] = CLEARIP_NAMES, *, lifetime: timedelta = LIFETIME
    ) -> CertificatePair:
        """Issue a certificate for host names and addresses; raises `ValueError` without any."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer_key = self.private_key.public_key()
        certificate = (
            certificate_builder(
                common_name(names), self.certificate.subject, key.public_key(), lifetime
            )
            .add_extension(alternative_names(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
            )
            .sign(self.private_key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return CertificatePair(pem, private_pem(key))


@dataclass(frozen=True, slots=True)
class LabFiles:
    """The PEM files of one lab: the root, ClearIP's TLS pair and the key that signs calls."""

    ca: Path
    certificate: Path
    private_key: Path
    signing_key: Path


def write_lab_files(directory: Path, pair: CertificatePair | None = None) -> LabFiles:
    """Make all that a stand-in needs in an existing directory.

    `pair` overrides ClearIP's TLS certificate, for a lab where it must not be accepted.
    """
    authority = CertificateAuthority.create()
    files = LabFiles(
        ca=directory / "lab-ca.pem",
        certificate=directory / "clearip.pem",
        private_key=directory / "clearip.key",
        signing_key=directory / "passport.key",
    )
    write_atomically(files.ca, authority.pem, PUBLIC)
    (pair or authority.issue()).write(files.certificate, files.private_key)
    signing = authority.issue(["Lab SHAKEN"])
    signing.write(directory / "passport.pem", files.signing_key)
    return files


def expired(authority: CertificateAuthority) -> CertificatePair:
    """Issue a certificate with ClearIP's names whose time is over since a day."""
    return authority.issue(lifetime=EXPIRED)


def wrong_name(authority: CertificateAuthority) -> CertificatePair:
    """Issue a certificate that the root vouches for, but for another host."""
    return authority.issue(WRONG_NAMES)


def without_authority() -> CertificatePair:
    """Make a certificate with ClearIP's names that no root vouches for."""
    return self_signed(CLEARIP_NAMES)


def _ca_key_usage() -> x509.KeyUsage:
    """Allow the authority's key to sign certificates, and nothing else."""
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
