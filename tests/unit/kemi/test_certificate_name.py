"""Which names a certificate is for (RFC 9525)."""

import pytest

from clearip_proxy.sites.certificate_name import CertificateNames, carries


@pytest.mark.parametrize(
    ("presented", "wanted"),
    [
        ("sip.clearip.com", "sip.clearip.com"),
        ("SIP.ClearIP.com", "sip.clearip.COM"),
        ("*.clearip.com", "sip.clearip.com"),
        ("*.sip.clearip.com", "outbound.sip.clearip.com"),
    ],
)
def test_name_is_carried(presented: str, wanted: str) -> None:
    """To the letter without regard to case, or with a wildcard as the leftmost label."""
    assert carries(CertificateNames(("first.example.net", presented)), wanted)


@pytest.mark.parametrize(
    ("presented", "wanted"),
    [
        ("clearip.com", "sip.clearip.com"),
        ("sip.clearip.com.evil.example", "sip.clearip.com"),
        ("*.clearip.com", "outbound.sip.clearip.com"),
        ("*.clearip.com", "clearip.com"),
        ("*.clearip.com", ".clearip.com"),
        ("s*.clearip.com", "sip.clearip.com"),
        ("sip.*.com", "sip.clearip.com"),
        ("*.com", "clearip.com"),
        ("*", "sip.clearip.com"),
        ("*", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_other_name_is_not_carried(presented: str, wanted: str) -> None:
    """Wildcards stand for one whole label; an address is no host name."""
    assert not carries(CertificateNames((presented,)), wanted)


def test_address_is_carried_as_an_address() -> None:
    """In any way of writing it."""
    names = CertificateNames((), ("192.0.2.1", "2001:db8::1"))

    assert carries(names, "2001:DB8:0::1")
    assert not carries(names, "192.0.2.2")


def test_names_read_well() -> None:
    """In the log of a refused site."""
    assert str(CertificateNames(("a.test",), ("192.0.2.1",))) == "a.test, 192.0.2.1"
    assert str(CertificateNames()) == "none"
