"""The certificates that the proxy makes for itself."""

import stat
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from inline_proxy.certificates import self_signed, write_atomically


def test_names_and_addresses_become_alternative_names_of_their_kind() -> None:
    """A client that dials an address compares it with iPAddress entries alone."""
    pair = self_signed(["proxy.example", "192.0.2.1", "2001:db8::1"])

    certificate = x509.load_pem_x509_certificate(pair.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["proxy.example"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ip_address("192.0.2.1"),
        ip_address("2001:db8::1"),
    ]


def test_name_longer_than_a_common_name_is_kept_in_the_alternative_names() -> None:
    """A common name holds 64 characters; a host name may be longer."""
    name = "a" * 60 + ".sip.example"

    certificate = x509.load_pem_x509_certificate(self_signed([name]).certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == [name]


def test_no_name_is_refused() -> None:
    """A certificate for nobody helps nobody."""
    with pytest.raises(ValueError, match="at least one name"):
        self_signed([])


def test_written_private_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """The key has mode 0600, the certificate may be read by all."""
    self_signed(["proxy.example"]).write(tmp_path / "proxy.pem", tmp_path / "proxy.key")

    assert stat.S_IMODE((tmp_path / "proxy.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "proxy.pem").stat().st_mode) == 0o644


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """What cannot be put in place is taken away again."""
    target = tmp_path / "occupied"
    target.mkdir()

    with pytest.raises(OSError, match="occupied"):
        write_atomically(target, b"new", 0o600)

    assert list(tmp_path.iterdir()) == [target]
