"""What a handshake with a site finds out, by real handshakes."""

import json
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clearip_proxy.sites.certificate_reading import names_of
from clearip_proxy.sites.handshake import HUNG_UP, Outcome, shake_hands
from clearip_proxy.sites.handshake_run import Finding, HandshakeRun
from inline_proxy.certificates import CertificatePair
from inline_proxy.lab.certificates import EXPIRED, CertificateAuthority, without_authority

HOST = "127.0.0.1"
PATIENCE_S = 10.0
Conduct = Callable[[socket.socket], object]


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    """The authority that the proxy trusts."""
    return CertificateAuthority.create("Test")


@contextmanager
def server(conduct: Conduct) -> Iterator[int]:
    """Take connections at a port, and do one thing with each."""
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    conduct(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def serving(folder: Path, pair: CertificatePair) -> ssl.SSLContext:
    """What a server with this certificate shakes hands by."""
    files = folder / "certificate.pem", folder / "key.pem"
    pair.write(*files)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


def tls(folder: Path, pair: CertificatePair, **settings: object) -> Conduct:
    """A TLS server with a certificate, that waits for the client to hang up."""
    context = serving(folder, pair)
    for name, value in settings.items():
        setattr(context, name, value)
    return talking(context)


def talking(context: ssl.SSLContext) -> Conduct:
    """Shake hands and wait for the client to hang up."""

    def talk(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as wrapped:
                wrapped.recv(1)
        except OSError:
            pass  # the client did not like the certificate

    return talk


def site(port: int, ca_file: Path, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
    """What the program is told."""
    return {
        "host": HOST,
        "port": port,
        "server_name": "sip.clearip.com",
        "timeout_s": timeout_s,
        "ca_file": str(ca_file),
        "certificate": None,
        "private_key": None,
    }


@pytest.fixture
def ca_file(tmp_path: Path, authority: CertificateAuthority) -> Path:
    """The file of the authority."""
    file = tmp_path / "authority.pem"
    file.write_bytes(authority.pem)
    return file


def look_at(conduct: Conduct, ca_file: Path, timeout_s: float = PATIENCE_S) -> Outcome:
    """Shake hands with such a server."""
    with server(conduct) as port:
        return shake_hands(site(port, ca_file, timeout_s))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_good_site_shows_its_certificate(
    tmp_path: Path, authority: CertificateAuthority, ca_file: Path, version: ssl.TLSVersion
) -> None:
    """Whose names are for the keeper to compare."""
    conduct = tls(tmp_path, authority.issue(("a.example",)), maximum_version=version)

    outcome = look_at(conduct, ca_file)

    assert (outcome["fault"], outcome["refused"]) == ("", False)
    assert names_of(outcome["certificate"]).dns == ("a.example",)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda authority: authority.issue(("a.example",), lifetime=EXPIRED), "expired"),
        (lambda _: without_authority(), "self"),
        (lambda _: CertificateAuthority.create("X").issue(), "issuer certificate"),
    ],
    ids=["expired", "self-signed", "unknown authority"],
)
def test_certificate_that_does_not_verify_is_named(
    tmp_path: Path,
    authority: CertificateAuthority,
    ca_file: Path,
    make: Callable[[CertificateAuthority], CertificatePair],
    fault: str,
) -> None:
    """The check that failed, and the certificate with its names."""
    outcome = look_at(tls(tmp_path, make(authority)), ca_file)

    assert outcome["refused"]
    assert outcome["fault"].startswith("its certificate does not verify: ")
    assert fault in outcome["fault"]
    assert names_of(outcome["certificate"]).dns


def test_server_that_wants_a_client_certificate_is_named(
    tmp_path: Path, authority: CertificateAuthority, ca_file: Path
) -> None:
    """In TLS 1.3 it says so after the handshake."""
    conduct = tls(tmp_path, authority.issue(), verify_mode=ssl.CERT_REQUIRED)

    assert "certificate required" in look_at(conduct, ca_file)["fault"]


def hang_up(context: ssl.SSLContext) -> Conduct:
    """Shake hands, and end the connection."""

    def talk(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True).close()

    return talk


def test_server_that_hangs_up_after_the_handshake_is_named(
    tmp_path: Path, authority: CertificateAuthority, ca_file: Path
) -> None:
    """Not every server says what it misses."""
    context = serving(tmp_path, authority.issue())

    assert look_at(hang_up(context), ca_file)["fault"] == HUNG_UP


def test_server_of_an_old_version_is_named(
    tmp_path: Path, authority: CertificateAuthority, ca_file: Path
) -> None:
    """By the version that it does speak."""
    context = serving(tmp_path, authority.issue())
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    assert look_at(talking(context), ca_file)["fault"] == (
        "it speaks TLSv1.1, and TLS 1.2 is the least"
    )


def reset(connection: socket.socket) -> None:
    """End the connection when the ClientHello is there."""
    connection.recv(1)


def stay_silent(connection: socket.socket) -> None:
    """Say nothing until the client hangs up."""
    while connection.recv(65_535):
        pass


@pytest.mark.parametrize(
    ("conduct", "fault"),
    [
        (reset, "it ends the connection in the TLS handshake"),
        (stay_silent, "it does not answer in time"),
        (
            lambda connection: connection.sendall(b"SIP/2.0 400 Bad Request\r\n\r\n"),
            "TLS handshake",
        ),
    ],
    ids=["reset", "silence", "no TLS"],
)
def test_server_that_does_not_shake_hands_is_named(
    ca_file: Path, conduct: Conduct, fault: str
) -> None:
    """As an operator understands it."""
    outcome = look_at(conduct, ca_file, timeout_s=0.5)

    assert outcome["fault"].startswith(fault)
    assert (outcome["refused"], outcome["certificate"]) == (False, "")


def test_closed_port_is_named(ca_file: Path) -> None:
    """It refuses the connection."""
    with socket.create_server((HOST, 0)) as closed:
        port = closed.getsockname()[1]

    assert shake_hands(site(port, ca_file))["fault"] == "it refuses the connection"


def test_missing_authorities_are_a_fault_and_no_crash(tmp_path: Path) -> None:
    """A file that has gone since the start."""
    assert shake_hands(site(1, tmp_path / "none.pem"))["fault"] == "No such file or directory"


def run_to_the_end(run: HandshakeRun) -> Finding:
    """Wait for the program."""
    while (finding := run.finding()) is None:
        pass
    return finding


def test_program_runs_beside_kamailio(
    tmp_path: Path, authority: CertificateAuthority, ca_file: Path
) -> None:
    """It is asked again and again, and answers when it is done."""
    with server(tls(tmp_path, authority.issue(("a.example",)))) as port:
        finding = run_to_the_end(HandshakeRun(site(port, ca_file)))

    assert (finding.fault, finding.refused) == ("", False)
    assert names_of(finding.certificate).dns == ("a.example",)


def test_program_that_fails_has_found_nothing_wrong() -> None:
    """Kamailio then connects without it."""
    run = HandshakeRun({"timeout_s": 1.0})

    assert run_to_the_end(run) == Finding()


def test_program_that_hangs_is_ended(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keeper never waits for it."""
    monkeypatch.setattr("clearip_proxy.sites.handshake_run.GRACE_S", -2 * PATIENCE_S)
    with server(stay_silent) as port:
        run = HandshakeRun(site(port, ca_file))

        assert run.finding() == Finding()


def test_outcome_is_json_that_the_keeper_reads(ca_file: Path) -> None:
    """The two ends know the same words."""
    outcome = shake_hands(site(1, ca_file))

    assert Finding(**json.loads(json.dumps(outcome))).fault == "it refuses the connection"
