"""Certificates and private keys that the configuration names."""

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509 import load_pem_x509_certificate

from inline_proxy.certificates import self_signed
from inline_proxy.config import parse_config
from unit.config.reading import faults_of

CERTIFICATE = "allowed: the absolute path of a PEM file with the certificate and its chain, or null"
PRIVATE_KEY = (
    "allowed: the absolute path of a PEM file with a private key without passphrase, or null"
)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate file; its key is the file beside it."""
    self_signed(["a.example"]).write(tmp_path / "certificate.pem", tmp_path / "key.pem")
    return tmp_path / "certificate.pem"


@pytest.fixture
def private_key(certificate: Path) -> Path:
    """The key of `certificate`."""
    return certificate.with_name("key.pem")


Writer = Callable[[str | bytes], Path]


@pytest.fixture
def written(tmp_path: Path) -> Writer:
    """A function that writes a file and gives its path."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "written.pem"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_pair_that_belongs_together_is_accepted(certificate: Path, private_key: Path) -> None:
    """Both pairs of the configuration become paths."""
    config = parse_config(
        f"listen: {{tls_certificate: {certificate}, tls_private_key: {private_key}}}\n"
        f"clearip: {{tls: {{ca_file: {certificate}, certificate: {certificate}, "
        f"private_key: {private_key}}}}}"
    )

    assert (config.listen.tls_certificate, config.listen.tls_private_key) == (
        certificate,
        private_key,
    )
    assert config.clearip.tls.ca_file == certificate
    assert (config.clearip.tls.certificate, config.clearip.tls.private_key) == (
        certificate,
        private_key,
    )


def test_certificate_is_the_first_of_its_chain(
    certificate: Path, private_key: Path, written: Writer
) -> None:
    """The own certificate comes first, the authority's after it."""
    authority = self_signed(["authority.example"]).certificate
    chain = written(b"a chain\n" + certificate.read_bytes() + authority)
    reversed_chain = certificate.with_name("reversed.pem")
    reversed_chain.write_bytes(authority + certificate.read_bytes())

    assert faults_of(f"listen: {{tls_certificate: {chain}, tls_private_key: {private_key}}}") == []
    assert faults_of(
        f"listen: {{tls_certificate: {reversed_chain}, tls_private_key: {private_key}}}"
    ) == ["listen.tls_private_key: does not belong to tls_certificate; give the key of that"]


def test_key_of_another_certificate_is_refused(certificate: Path, written: Writer) -> None:
    """Otherwise every handshake would fail."""
    other = written(self_signed(["a.example"]).private_key)

    faults = faults_of(f"clearip: {{tls: {{certificate: {certificate}, private_key: {other}}}}}")

    assert faults == [
        "clearip.tls.private_key: does not belong to certificate; give the key of that"
    ]


def test_key_of_another_kind_is_refused(certificate: Path, written: Writer) -> None:
    """An RSA key does not belong to a certificate with an elliptic curve."""
    key = rsa.generate_private_key(65537, 2048)
    other = written(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )

    faults = faults_of(f"listen: {{tls_certificate: {certificate}, tls_private_key: {other}}}")

    assert faults == [
        "listen.tls_private_key: does not belong to tls_certificate; give the key of that"
    ]


def test_half_a_pair_is_refused(certificate: Path, private_key: Path) -> None:
    """Both or neither."""
    assert faults_of(f"listen: {{tls_certificate: {certificate}}}") == [
        "listen.tls_certificate: stands without tls_private_key; allowed: both, or neither"
    ]
    assert faults_of(f"clearip: {{tls: {{private_key: {private_key}}}}}") == [
        "clearip.tls.private_key: stands without certificate; allowed: both, or neither"
    ]


def test_key_with_a_passphrase_is_refused(written: Writer) -> None:
    """Nobody is there to type it when the service starts."""
    key = ec.generate_private_key(ec.SECP256R1())
    path = written(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )

    (fault,) = faults_of(f"listen: {{tls_private_key: {path}}}")

    assert fault == (
        "listen.tls_private_key: names a private key with a passphrase, which nobody is there to "
        f'type (found "{path}"); {PRIVATE_KEY}'
    )


@pytest.mark.parametrize("name", ["listen: {tls_certificate", "clearip: {tls: {ca_file"])
def test_file_without_certificate_is_refused(name: str, private_key: Path) -> None:
    """A key is no certificate."""
    closing = "}" * name.count("{")

    (fault,) = faults_of(f"{name}: {private_key}{closing}")

    assert f'names a file that holds no certificate in PEM (found "{private_key}")' in fault


@pytest.mark.parametrize("content", ["", "hello", b"\x00\xff", "-----BEGIN PRIVATE KEY-----\nMIG"])
def test_file_without_private_key_is_refused(content: str | bytes, written: Writer) -> None:
    """What cannot be read as a key is not one."""
    (fault,) = faults_of(f"listen: {{tls_private_key: {written(content)}}}")

    assert "names a file that holds no usable private key in PEM (found " in fault


def test_damaged_certificate_is_refused(written: Writer) -> None:
    """The frame alone makes no certificate."""
    path = written("-----BEGIN CERTIFICATE-----\nTUlHSA==\n-----END CERTIFICATE-----\n")

    (fault,) = faults_of(f"listen: {{tls_certificate: {path}}}")

    assert fault == (
        "listen.tls_certificate: names a file with a damaged certificate "
        f'(found "{path}"); {CERTIFICATE}'
    )


def test_certificate_with_a_key_of_unknown_kind_is_refused(
    certificate: Path, written: Writer
) -> None:
    """The proxy could not tell whether the private key belongs to it."""
    unknown_curve = certificate_of_unknown_curve(certificate)

    (fault,) = faults_of(f"listen: {{tls_certificate: {written(unknown_curve)}}}")

    assert "names a certificate whose key is of an unknown kind" in fault


def certificate_of_unknown_curve(certificate: Path) -> bytes:
    """The certificate with the name of its curve, P-256, changed to one that is not known."""
    der = load_pem_x509_certificate(certificate.read_bytes()).public_bytes(Encoding.DER)
    p256, unknown = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f")
    assert p256 in der
    body = base64.encodebytes(der.replace(p256, unknown)).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n".encode()


@pytest.mark.parametrize("key", ["tls_certificate", "tls_private_key"])
@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("/nowhere/a.pem", "names a file that cannot be read: No such file or directory"),
        ("/", "names something else than a file"),
        (os.devnull, "names something else than a file"),
        ("'/etc/a b'", "has a character other than letters, digits and /._+@,~-"),
        ("'/etc/a\"'", "has a character other than letters, digits and /._+@,~-"),
        ("tls/a.pem", "is not an absolute path"),
        ("~/a.pem", "is not an absolute path"),
        ("5", "is not the path of a file"),
    ],
)
def test_path_that_names_no_file_is_refused(key: str, value: str, wrong: str) -> None:
    """Each way of missing the file has its sentence."""
    (fault,) = faults_of(f"listen: {{{key}: {value}}}")

    assert fault.startswith(f"listen.{key}: {wrong} (found ")


def test_bundle_of_the_distribution_is_accepted(certificate: Path, written: Writer) -> None:
    """A file of many authorities, with comments between them, is what operators have."""
    many = b"".join(b"# authority\n" + self_signed([f"{n}.example"]).certificate for n in range(3))

    assert (
        faults_of(f"clearip: {{tls: {{ca_file: {written(many + certificate.read_bytes())}}}}}")
        == []
    )
