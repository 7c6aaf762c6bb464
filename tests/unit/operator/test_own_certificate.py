"""The certificate of the TLS listeners: configured, or made once and kept."""

import stat
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from inline_proxy.certificates import self_signed
from inline_proxy.config.listen import Listen
from inline_proxy.listeners import Listener
from inline_proxy.own_certificate import CertificateFiles, make_missing, own_certificate

LISTENERS = (
    Listener("udp", ip_address("192.0.2.9"), 5060),
    Listener("tls", ip_address("192.0.2.1"), 5061),
    Listener("tls", ip_address("2001:db8::1"), 5061),
)


def names_in(certificate: Path) -> list[str]:
    """The alternative names of a certificate, in order."""
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    extension = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in extension.value]


def made_in(directory: Path, listen: Listen, *listeners: Listener) -> CertificateFiles:
    """The files of the proxy's own certificate, made where they are missing."""
    files = own_certificate(listen, directory)
    make_missing(files, listen, listeners)
    return files


def test_configured_certificate_is_taken(tmp_path: Path) -> None:
    """And nothing is made."""
    files = CertificateFiles(tmp_path / "a.pem", tmp_path / "a.key")
    self_signed(["a.example"]).write(*files)
    listen = replace(Listen(), tls_certificate=files.certificate, tls_private_key=files.private_key)
    state = tmp_path / "state"
    state.mkdir()

    assert made_in(state, listen, *LISTENERS) == files
    assert list(state.iterdir()) == []


def test_certificate_of_its_own_carries_the_advertised_name_and_the_tls_addresses(
    tmp_path: Path,
) -> None:
    """What a switch may have been told to connect to."""
    files = made_in(tmp_path, replace(Listen(), advertise="sip.example.net"), *LISTENERS)

    assert names_in(files.certificate) == ["sip.example.net", "192.0.2.1", "2001:db8::1"]


def test_certificate_without_tls_listener_is_for_localhost(tmp_path: Path) -> None:
    """Kamailio wants one all the same."""
    assert names_in(made_in(tmp_path, Listen()).certificate) == ["localhost"]


def test_private_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """The certificate may be read by all."""
    files = made_in(tmp_path, Listen(), *LISTENERS)

    assert stat.S_IMODE(files.private_key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.certificate.stat().st_mode) == 0o644


def test_certificate_made_before_is_kept(tmp_path: Path) -> None:
    """Also when the addresses have changed: switches trust this very one."""
    before = [file.read_bytes() for file in made_in(tmp_path, Listen(), *LISTENERS)]

    after = [file.read_bytes() for file in made_in(tmp_path, Listen(), *LISTENERS[:1])]

    assert after == before


def test_certificate_whose_key_is_lost_is_made_again(tmp_path: Path) -> None:
    """Half a pair serves nobody."""
    files = made_in(tmp_path, Listen(), *LISTENERS)
    old = files.certificate.read_bytes()
    files.private_key.unlink()

    made_in(tmp_path, Listen(), *LISTENERS)

    assert files.private_key.exists()
    assert files.certificate.read_bytes() != old
