"""Calls between two real phones (baresip) that know nothing of the proxy's lab."""

import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from inline_proxy.lab.certificates import CertificateAuthority
from sipp.baresip import Phone, Trust
from sipp.clearip import ClearIp, Site, token
from sipp.conftest import ProxyWith
from sipp.invariants import prove_what_always_holds
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.sipp import PORTS
from sipp.tls_bridge import Certificate
from sipp.waiting import wait_until

CALLING_NUMBER = "+14045550100"
TRANSPORTS: tuple[tuple[Transport, Transport], ...] = (
    ("udp", "udp"),
    ("tcp", "tcp"),
    ("tls", "tls"),
    ("udp", "tls"),
    ("tls", "udp"),
)
StartPhone = Callable[[str], Phone]


@dataclass(frozen=True, slots=True)
class Line:
    """Who calls, who is called by which number, and what lies between them."""

    caller: Phone
    target: Phone
    number: str
    proxy: Proxy

    def establish(self, calls_over: Transport) -> None:
        """Call, answer, and wait until both have a call and the caller hears the target."""
        self.caller.call(self.number, self.proxy.place(calls_over))
        self.caller.wait_for("CALL_RINGING")  # an answer in one breath with it may overtake it
        self.target.answer()
        for phone in (self.caller, self.target):
            phone.wait_for("CALL_ESTABLISHED")
        self.caller.wait_for("CALL_RTPESTAB")

    def switch_off(self) -> list[int]:
        """Wait for the end of the call on both sides, then switch both off; give the exit codes."""
        for phone in (self.caller, self.target):
            phone.wait_for("CALL_CLOSED")
        return [self.caller.quit(), self.target.quit()]

    def ends(self, one: str) -> tuple[Phone, Phone]:
        """The phone of that name, and the other."""
        both = (self.caller, self.target)
        return both if one == "caller" else both[::-1]


@pytest.fixture(scope="session")
def trust(
    authority: CertificateAuthority,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Trust:
    """Phones believe the authority that vouches for the proxy, and it vouches for them too."""
    authorities = tmp_path_factory.mktemp("authority") / "ca.pem"
    authorities.write_bytes(authority.pem)
    return Trust(certificate, authorities)


@pytest.fixture
def phones_proxy(
    proxy_with: ProxyWith, clearip_sites: tuple[Site, ...], certificate: Certificate
) -> Proxy:
    """A proxy whose certificate the phones can check."""
    assert clearip_sites
    pair = {
        "tls_certificate": str(certificate.certificate),
        "tls_private_key": str(certificate.private_key),
    }
    return proxy_with(listen=pair)


@pytest.fixture
def start_phone(trust: Trust, tmp_path: Path, clearip: ClearIp) -> Iterator[StartPhone]:
    """Start phones; at the end, show what they printed and prove what ClearIP never gets."""
    started: list[Phone] = []

    def start(number: str) -> Phone:
        port = next(PORTS)
        directory = tmp_path / str(port)
        directory.mkdir()
        started.append(Phone(number, port, trust, directory))
        return started[-1]

    yield start
    for phone in started:
        phone.leave()
        sys.stdout.write(f"===== phone: {phone.story()}\n")
    prove_what_always_holds((), clearip)


@pytest.fixture
def line(start_phone: StartPhone, number: str, phones_proxy: Proxy) -> Line:
    """Two phones and a proxy."""
    return Line(start_phone(CALLING_NUMBER), start_phone(number), number, phones_proxy)


def compact_identity() -> str:
    """An Identity in compact form (RFC 8224 §4.1), with which an INVITE fits into a datagram."""
    signature = secrets.token_urlsafe(64)
    return f"..{signature};info=<https://clearip.example/1.pem>"


@pytest.mark.parametrize("hangs_up", ["caller", "target"])
@pytest.mark.parametrize("over", TRANSPORTS, ids="-".join)
def test_phones_call_each_other_over_any_transport_and_either_hangs_up(
    line: Line, clearip: ClearIp, over: tuple[Transport, Transport], hangs_up: str
) -> None:
    """ClearIP is asked once, its Identity reaches the called phone, the BYE the other side."""
    calls_over, called_over = over
    identity = compact_identity()
    clearip.redirects_to(line.target.at(called_over), identities=[identity])
    line.establish(calls_over)
    one, other = line.ends(hangs_up)
    one_over, other_over = over if hangs_up == "caller" else over[::-1]

    one.hang_up()

    assert line.switch_off() == [0, 0]
    assert clearip.was_asked_once()
    (invite,) = line.target.received("INVITE", over=called_over)
    assert invite.headers("identity") == [identity]
    assert line.caller.statuses() == [100, 180, 200]
    assert len(line.target.received("ACK", over=called_over)) == 1
    (bye,) = other.received("BYE", over=other_over)
    assert one.received(200, over=one_over)[-1].header("cseq") == bye.header("cseq")
    assert one.sent("BYE", over=one_over)[-1].header("call-id") == invite.header("call-id")


def test_phone_on_udp_takes_an_invite_too_large_for_udp_over_tcp(
    line: Line, clearip: ClearIp
) -> None:
    """With a signature of real size it comes over TCP (RFC 3261 §18.1.1); the call lives on it."""
    identity = token()
    clearip.redirects_to(line.target.at("udp"), identities=[identity])
    line.establish("udp")

    line.caller.hang_up()

    assert line.switch_off() == [0, 0]
    assert clearip.was_asked_once()
    (invite,) = line.target.received("INVITE", over="tcp")
    assert invite.headers("identity") == [identity]
    assert not line.target.received("INVITE", over="udp")
    assert len(line.target.received("BYE")) == 1


def test_phone_that_gives_up_silences_the_other(line: Line, clearip: ClearIp) -> None:
    """Hanging up while it rings: the target is canceled, and the caller told 487."""
    clearip.redirects_to(line.target.at("tcp"))
    line.caller.call(line.number, line.proxy.place("udp"))
    line.target.wait_for("CALL_INCOMING")
    line.caller.wait_for("CALL_RINGING")

    line.caller.hang_up()

    assert line.switch_off() == [0, 0]
    assert len(line.target.received("CANCEL")) == 1
    assert line.caller.statuses() == [100, 180, 487]
    assert clearip.was_asked_once()


@pytest.mark.parametrize("holds", ["caller", "target"])
def test_phone_that_holds_the_call_is_not_a_new_call(
    line: Line, clearip: ClearIp, holds: str
) -> None:
    """A re-INVITE of either side reaches the other, and ClearIP hears nothing of it."""
    clearip.redirects_to(line.target.at("tls"))
    line.establish("udp")
    holder, held = line.ends(holds)

    holder.tell("hold")

    wait_until(partial(has_been_held, held), f"the {holds} holds the call")
    line.caller.hang_up()
    assert line.switch_off() == [0, 0]
    assert clearip.was_asked_once()


def has_been_held(phone: Phone) -> bool:
    """Tell whether it was told that the other side holds the call, and this was settled."""
    holding = [m for m in phone.received("INVITE") if "a=sendonly" in m.body]
    settled = {m.header("cseq").split()[0] for m in phone.received("ACK")}
    return any(m.header("cseq").split()[0] in settled for m in holding)
