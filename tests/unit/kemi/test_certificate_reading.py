"""Reading the names of a certificate."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clearip_proxy.sites.certificate_name import CertificateNames
from clearip_proxy.sites.certificate_reading import names_of
from inline_proxy.certificates import self_signed


def test_all_names_are_read() -> None:
    """Host names and addresses."""
    pem = self_signed(["sip.clearip.com", "*.sip.clearip.com", "192.0.2.1"]).certificate.decode()

    assert names_of(pem) == CertificateNames(
        ("sip.clearip.com", "*.sip.clearip.com"), ("192.0.2.1",)
    )


def test_common_name_is_no_name() -> None:
    """RFC 9525 §2: the subject does not count."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sip.clearip.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()

    assert names_of(pem) == CertificateNames()


def test_what_is_no_certificate_is_refused() -> None:
    """The keeper takes it for one without names."""
    with pytest.raises(ValueError, match="PEM"):
        names_of("")


def test_reading_loads_no_library_that_kamailios_other_processes_lack() -> None:
    """OpenSSL's state is shared between them, and its legacy algorithms lie in a file of theirs."""
    program = (
        "import clearip_proxy.sites.certificate_reading, pathlib;"
        "print(pathlib.Path('/proc/self/maps').read_text())"
    )
    reading = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )

    assert "cryptography" in reading.stdout
    assert "ossl-modules" not in reading.stdout
