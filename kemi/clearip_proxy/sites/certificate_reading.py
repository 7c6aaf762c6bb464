"""Reading the names of a certificate, by cryptography (docs/adr/0007-the-clearip-leg.md)."""

import os

# Kamailio's processes share OpenSSL's state. Were its legacy algorithms loaded here, after the
# fork, the others would call into a library that they do not have: OpenSSL 3.5 crashes.
os.environ["CRYPTOGRAPHY_OPENSSL_NO_LEGACY"] = "1"

from cryptography import x509

from clearip_proxy.sites.certificate_name import CertificateNames


def names_of(pem: str) -> CertificateNames:
    """Return the names in a PEM certificate; none where it has no subjectAltName.

    Raises `ValueError` for what is no certificate.
    """
    certificate = x509.load_pem_x509_certificate(pem.encode())
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return CertificateNames()
    names = extension.value
    return CertificateNames(
        tuple(names.get_values_for_type(x509.DNSName)),
        tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )
