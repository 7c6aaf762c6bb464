"""The lab's certificate authority, seen by a TLS client."""

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from inline_proxy.certificates import CertificatePair
from inline_proxy.lab.certificates import (
    CertificateAuthority,
    LabFiles,
    expired,
    without_authority,
    write_lab_files,
    wrong_name,
)

BadPair = Callable[[CertificateAuthority], CertificatePair]


def handshake(files: LabFiles, server_name: str) -> None:
    """Do one TLS handshake between a client that trusts the lab's root and ClearIP's pair."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(files.certificate, files.private_key)
    client_context = ssl.create_default_context(cafile=str(files.ca))
    here, there = socket.socketpair()
    here.settimeout(5)
    there.settimeout(5)

    def serve() -> None:
        try:
            server_context.wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client_context.wrap_socket(here, server_hostname=server_name).close()
    finally:
        here.close()
        thread.join()


@pytest.mark.parametrize("name", ["sip.clearip.com", "outbound.sip.clearip.com", "127.0.0.1"])
def test_certificate_of_the_lab_carries_the_names_of_clearip(tmp_path: Path, name: str) -> None:
    """The handshake succeeds for ClearIP's name, for a partition and for the address dialled."""
    handshake(write_lab_files(tmp_path), name)


@pytest.mark.parametrize(
    ("bad_pair", "complaint"),
    [
        (expired, "expired"),
        (wrong_name, "mismatch"),
        (lambda _authority: without_authority(), "self-signed|self signed"),
    ],
)
def test_bad_certificate_is_refused_for_its_own_reason(
    tmp_path: Path, bad_pair: BadPair, complaint: str
) -> None:
    """Each bad variant is bad in the one way that its name says."""
    authority = CertificateAuthority.create()
    files = write_lab_files(tmp_path, bad_pair(authority))
    files.ca.write_bytes(authority.pem)

    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        handshake(files, "sip.clearip.com")


def test_two_labs_do_not_trust_each_other(tmp_path: Path) -> None:
    """Every lab has a root of its own."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    files = write_lab_files(first)
    files.ca.write_bytes(write_lab_files(second).ca.read_bytes())

    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, "sip.clearip.com")
