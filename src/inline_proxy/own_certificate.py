"""The certificate that the proxy's TLS listeners show: the configured one, or one of its own."""

from pathlib import Path
from typing import NamedTuple

from inline_proxy.certificates import self_signed
from inline_proxy.config.listen import Listen
from inline_proxy.listeners import Listener

CERTIFICATE_FILE = "proxy-certificate.pem"
PRIVATE_KEY_FILE = "proxy-private-key.pem"


class CertificateFiles(NamedTuple):
    """Where a certificate and its private key lie."""

    certificate: Path
    private_key: Path


def own_certificate(listen: Listen, state_directory: Path) -> CertificateFiles:
    """Return the configured files, or those that the proxy makes itself in the directory."""
    if listen.tls_certificate is not None and listen.tls_private_key is not None:
        return CertificateFiles(listen.tls_certificate, listen.tls_private_key)
    directory = state_directory.resolve()
    return CertificateFiles(directory / CERTIFICATE_FILE, directory / PRIVATE_KEY_FILE)


def make_missing(files: CertificateFiles, listen: Listen, listeners: tuple[Listener, ...]) -> None:
    """Make a self-signed pair where one is missing; raises `OSError`.

    A pair that was made before stays: switches may have been told to trust it.
    """
    if not all(file.exists() for file in files):
        self_signed(_names(listen, listeners)).write(*files)


def _names(listen: Listen, listeners: tuple[Listener, ...]) -> list[str]:
    addresses = [str(listener.address) for listener in listeners if listener.transport == "tls"]
    advertised = [listen.advertise] if listen.advertise is not None else []
    return list(dict.fromkeys((*advertised, *addresses))) or ["localhost"]
