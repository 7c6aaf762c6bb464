"""What a TLS handshake with a ClearIP site shows: a program of its own, for the keeper to run.

    python3 handshake.py '{"host": "192.0.2.1", "port": 5061, "server_name": "sip.clearip.com",
        "timeout_s": 2.0, "ca_file": "system", "certificate": null, "private_key": null}'

It prints one JSON object, `{"fault": TEXT, "refused": BOOLEAN, "certificate": PEM}`: what went
wrong ("" for nothing), whether it was the certificate's fault, and the certificate that was shown
("" for none). It runs apart from Kamailio, whose OpenSSL it must not disturb, and says nothing
over the connection. Only Python's own modules are used.
"""

import json
import socket
import ssl
import sys
import warnings
from typing import Any, TypedDict

LISTEN_S = 0.3
"""How long a server of TLS 1.3 is listened to: it refuses a client after the handshake."""
HUNG_UP = "it hangs up after the TLS handshake, as if it missed a client certificate"


class Outcome(TypedDict):
    """What the program prints."""

    fault: str
    refused: bool
    certificate: str


def shake_hands(site: dict[str, Any]) -> Outcome:
    """Connect, check the chain, hang up."""
    try:
        certificate = _certificate(site, verified_context(site))
    except ssl.SSLCertVerificationError as failure:
        fault = f"its certificate does not verify: {failure.verify_message}"
        return {"fault": fault, "refused": True, "certificate": _unverified_certificate(site)}
    except (OSError, ValueError) as failure:
        fault = _in_words(failure)
        if isinstance(failure, ssl.SSLError | ConnectionResetError):
            fault = _old_version(site) or fault
        return {"fault": fault, "refused": False, "certificate": ""}
    return {"fault": "", "refused": False, "certificate": certificate}


def verified_context(site: dict[str, Any]) -> ssl.SSLContext:
    """Return how Kamailio connects: the chain is checked; the name is the keeper's to check."""
    ca_file = None if site["ca_file"] == "system" else site["ca_file"]
    context = ssl.create_default_context(cafile=ca_file)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if site["certificate"]:
        context.load_cert_chain(site["certificate"], site["private_key"])
    return context


def _certificate(site: dict[str, Any], context: ssl.SSLContext) -> str:
    """Return the certificate that is shown, once the server has had the time to refuse ours."""
    place = (site["host"], site["port"])
    with (
        socket.create_connection(place, site["timeout_s"]) as connection,
        context.wrap_socket(connection, server_hostname=site["server_name"]) as tls,
    ):
        shown = tls.getpeercert(binary_form=True)
        if tls.version() == "TLSv1.3" and _hangs_up(tls):
            raise OSError(0, HUNG_UP)
    return ssl.DER_cert_to_PEM_cert(shown or b"")


def _hangs_up(tls: ssl.SSLSocket) -> bool:
    """Listen for a moment; raises `ssl.SSLError` where the server says what it misses."""
    tls.settimeout(LISTEN_S)
    try:
        return tls.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def _unverified_certificate(site: dict[str, Any]) -> str:
    context = verified_context(site)
    context.verify_mode = ssl.CERT_NONE
    try:
        return _certificate(site, context)
    except OSError:
        return ""


def _old_version(site: dict[str, Any]) -> str:
    """Say which version of TLS a server speaks that is too old; "" where that is not it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # OpenSSL 3 speaks the old versions on no other level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that they are old is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        with (
            socket.create_connection((site["host"], site["port"]), site["timeout_s"]) as connection,
            context.wrap_socket(connection, server_hostname=site["server_name"]) as tls,
        ):
            return f"it speaks {tls.version()}, and TLS 1.2 is the least"
    except OSError:
        return ""


def _in_words(failure: OSError | ValueError) -> str:
    """Say what happened as a person reads it."""
    match failure:
        case ConnectionRefusedError():
            return "it refuses the connection"
        case TimeoutError():
            return "it does not answer in time"
        case ConnectionResetError() | ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return "it ends the connection in the TLS handshake"
        case ssl.SSLError() if failure.reason:
            return f"TLS handshake: {failure.reason.replace('_', ' ').lower()}"
        case OSError() if failure.strerror:
            return failure.strerror
        case _:
            return str(failure)


if __name__ == "__main__":
    json.dump(shake_hands(json.loads(sys.argv[1])), sys.stdout)
