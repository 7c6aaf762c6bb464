"""What callers over TLS meet: versions, ciphers, certificates, and their change."""

import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from inline_proxy.certificates import self_signed
from inline_proxy.kamailio_rpc import KamailioRpc
from inline_proxy.lab.certificates import CertificateAuthority
from inline_proxy.rendering import CONTROL_SOCKET
from sipp.hosts import tcp_socket
from sipp.place import Place
from sipp.proxy import Proxies, Proxy
from sipp.raw_request import LARGEST, request
from sipp.tls_bridge import Certificate, trusting
from sipp.waiting import wait_until

SWITCH = "127.47.0.1"


def connected(place: Place, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection to the proxy; raises `ssl.SSLError` and `OSError`."""
    plain = tcp_socket(SWITCH)
    try:
        plain.connect(place.endpoint)
        return context.wrap_socket(plain)
    except OSError:
        plain.close()
        raise


def is_answered(stream: socket.socket, place: Place, number: str) -> bool:
    """Whether OPTIONS on the connection has a 200."""
    text = request("OPTIONS", number, place).replace("UDP [sent-by]", f"TLS {SWITCH}")
    stream.sendall(text.encode())
    return stream.recv(LARGEST).startswith(b"SIP/2.0 200")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_version_of_today_is_taken(proxy: Proxy, number: str, version: ssl.TLSVersion) -> None:
    """With a cipher that authenticates and has forward secrecy."""
    context = trusting()
    context.minimum_version = context.maximum_version = version

    with connected(proxy.place("tls"), context) as stream:
        cipher = (stream.cipher() or ("", "", 0))[0]
        assert "GCM" in cipher or "CHACHA20" in cipher
        assert is_answered(stream, proxy.place("tls"), number)


@pytest.mark.parametrize("ciphers", ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA"])
def test_weak_cipher_is_refused(proxy: Proxy, ciphers: str) -> None:
    """No forward secrecy, or no authenticated encryption."""
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")

    with pytest.raises(OSError, match=r"(?i)alert|handshake|reset|EOF"):
        connected(proxy.place("tls"), context).close()


def test_old_version_is_refused(proxy: Proxy) -> None:
    """TLS 1.1 and older (RFC 8996)."""
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(OSError, match=r"(?i)alert|version|protocol|reset|EOF"):
        connected(proxy.place("tls"), context).close()


@pytest.fixture
def strict_proxy(proxies: Proxies, proxy: Proxy) -> Proxy:
    """A proxy that asks callers for a certificate of the authority's."""
    ca_file = proxy.directory.parent / "ca.pem"
    return proxies.with_changes({"listen": {"tls_client_ca_file": str(ca_file)}})


def test_caller_with_a_certificate_of_the_authority_is_taken(
    strict_proxy: Proxy, certificate: Certificate, number: str
) -> None:
    """It proves who it is before any byte of SIP."""
    context = trusting()
    context.load_cert_chain(certificate.certificate, certificate.private_key)

    with connected(strict_proxy.place("tls"), context) as stream:
        assert is_answered(stream, strict_proxy.place("tls"), number)


@pytest.mark.parametrize("shown", [None, "another authority's"])
def test_caller_without_such_a_certificate_is_refused(
    strict_proxy: Proxy, number: str, tmp_path: Path, shown: str | None
) -> None:
    """In the handshake, or with the first byte after it, as TLS 1.3 has it."""
    context = trusting()
    if shown is not None:
        files = tmp_path / "certificate.pem", tmp_path / "key.pem"
        CertificateAuthority.create().issue().write(*files)
        context.load_cert_chain(*files)

    assert refuses(strict_proxy.place("tls"), context, number)


def refuses(place: Place, context: ssl.SSLContext, number: str) -> bool:
    """Whether no request on such a connection is answered."""
    try:
        with connected(place, context) as stream:
            return not is_answered(stream, place, number)
    except OSError:
        return True


@pytest.fixture
def own_proxy(proxies: Proxies) -> Iterator[Proxy]:
    """A proxy for one test alone."""
    proxy = proxies.fresh({})
    yield proxy
    proxy.stop()


def test_new_certificate_is_shown_without_a_restart(own_proxy: Proxy, number: str) -> None:
    """To whoever connects from then on; who is connected stays so."""
    place = own_proxy.place("tls")
    (control,) = own_proxy.directory.glob(f"inline-proxy-*/{CONTROL_SOCKET}")
    with connected(place, trusting()) as before:
        old = before.getpeercert(binary_form=True)
        settings = control.with_name("tls.cfg").read_text()
        shown = re.findall(r'^(?:certificate|private_key) = "(.+)"', settings, re.MULTILINE)[:2]
        self_signed(["renewed.example.net"]).write(*map(Path, shown))

        KamailioRpc(control).call("tls.reload")

        def shows_the_new_one() -> bool:
            with connected(place, trusting()) as after:
                return after.getpeercert(binary_form=True) != old

        wait_until(shows_the_new_one, "the new certificate is shown")
        assert is_answered(before, place, number)
