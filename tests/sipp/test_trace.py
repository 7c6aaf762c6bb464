"""`inline-proxy trace`: the encrypted leg in plain text, while somebody looks and no longer."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sipp.clearip import ClearIp, token
from sipp.conftest import ProxyWith
from sipp.control import control
from sipp.datagrams import Datagrams, Hep
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.test_records import observer_of
from sipp.trace_command import Trace
from sipp.waiting import wait_until

RECEIVER = "127.0.0.1:7969"
SNGREP = "127.0.0.1:7970"


@pytest.fixture
def proxy(proxy_with: ProxyWith) -> Proxy:
    """A proxy that can be traced, on a port that no other test looks at."""
    return proxy_with(tracing={"receiver": RECEIVER})


@contextmanager
def call(sipp: Sipp, clearip: ClearIp, proxy: Proxy) -> Iterator[None]:
    """A signed call that is answered; the block runs after it."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at(), identities=[token()])
    assert all_succeeded(sipp.play("uac-answered", to=proxy), target)
    yield


def are_copies_off(proxy: Proxy) -> bool:
    """Whether Kamailio copies nothing."""
    return bool(control(proxy).call("siptrace.status", "check") == "Disabled")


def is_open(place: str) -> bool:
    """Whether somebody takes datagrams at a port of loopback."""
    port = int(place.rpartition(":")[2])
    return f":{port:04X} " in Path("/proc/net/udp").read_text()


def test_traced_call_shows_the_encrypted_leg_in_plain_text(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str, tmp_path: Path
) -> None:
    """INVITE and 302 between the proxy and ClearIP, and both other legs; secrets aside."""
    with Trace(proxy, tmp_path, number, "--json") as trace, call(sipp, clearip, proxy):
        wait_until(lambda: any(m["text"].startswith("BYE") for m in trace.messages()), "a BYE")

    seen = [
        (m["sender"], m["receiver"], m["transport"], m["text"].split(" ", 1)[0])
        for m in trace.messages()
    ]
    assert ("proxy", "ClearIP", "tls", "INVITE") in seen
    assert ("caller", "proxy", "udp", "INVITE") in seen
    assert ("proxy", "target", "udp", "INVITE") in seen
    (moved,) = (m for m in trace.messages() if m["text"].startswith("SIP/2.0 302"))
    assert (moved["sender"], moved["transport"]) == ("ClearIP", "tls")
    assert "\r\nIdentity: " in moved["text"]
    assert ";dialog=****" in trace.text
    assert number in moved["text"]


def test_ladder_grows_with_the_call(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str, tmp_path: Path
) -> None:
    """A row for each message, with the message below it."""
    with Trace(proxy, tmp_path, number) as trace, call(sipp, clearip, proxy):
        trace.wait_for("BYE sip:")

    rows = [line for line in trace.text.splitlines() if "│" in line or ">" in line]
    assert any("─ INVITE ─" in row and "Identity" in row for row in rows)
    assert any("<" in row and "302 Moved Temporarily" in row for row in rows)
    assert "caller" in trace.text.split("ClearIP")[0]


def test_homer_gets_every_leg(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str, tmp_path: Path
) -> None:
    """HEPv3, read here by the letter of its specification and not by the proxy's own reader."""
    with (
        Datagrams() as homer,
        Trace(proxy, tmp_path, "--all", "--export", homer.place),
        call(sipp, clearip, proxy),
    ):
        wait_until(lambda: any(b"BYE sip:" in each for each in homer.taken), "Homer has the BYE")
        packets = [Hep(each) for each in homer.taken if number.encode() in each]

    invites = [each for each in packets if each.payload.startswith(b"INVITE")]
    assert {(each.protocol, each.destination_port) for each in invites} >= {(22, 6061)}
    assert any(each.payload.startswith(b"SIP/2.0 302") for each in packets)
    assert {each.kind for each in packets} == {1}
    assert all(abs(each.at_s - time.time()) < 60 for each in packets)


def test_sngrep_reads_the_trace(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str, tmp_path: Path
) -> None:
    """`sngrep -L`, as an operator runs it, saves the encrypted leg's INVITE."""
    saved = tmp_path / "saved.pcap"
    sngrep = subprocess.Popen(
        ["sngrep", "-N", "-q", "-L", f"udp:{SNGREP}", "-O", str(saved)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_open(SNGREP), "sngrep listens")
        with (
            Trace(proxy, tmp_path, number, "--export", SNGREP) as trace,
            call(sipp, clearip, proxy),
        ):
            trace.wait_for("BYE sip:")
            wait_until(lambda: b"302 Moved" in saved.read_bytes(), "sngrep has saved the 302")
    finally:
        sngrep.send_signal(signal.SIGTERM)
        sngrep.wait()


def test_no_copy_leaves_kamailio_while_nobody_looks(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, tmp_path: Path
) -> None:
    """Not one packet, neither before a trace nor after the command was killed."""
    with Datagrams(RECEIVER) as kamailio, call(sipp, clearip, proxy):
        assert kamailio.taken == []
    with Trace(proxy, tmp_path, "--all"):
        assert not are_copies_off(proxy)

    wait_until(lambda: not is_open(RECEIVER), "the observer has closed its socket")
    assert are_copies_off(proxy)
    with Datagrams(RECEIVER) as kamailio, call(sipp, clearip, proxy):
        assert kamailio.taken == []


def test_other_calls_are_not_shown(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, tmp_path: Path
) -> None:
    """Somebody looks at another number."""
    with Trace(proxy, tmp_path, "+14705559999", "--json") as trace, call(sipp, clearip, proxy):
        pass

    assert trace.messages() == []


def test_trace_ends_with_its_time(proxy: Proxy, tmp_path: Path) -> None:
    """By itself, and Kamailio's copies with it."""
    with Trace(proxy, tmp_path, "--all", "--for", "1s") as trace:
        assert trace.process.wait(10) == 0

    assert "the time is over" in trace.said
    wait_until(lambda: are_copies_off(proxy), "the copies have ended")


def test_copies_end_with_an_observer_that_is_killed(proxy: Proxy, tmp_path: Path) -> None:
    """Its successor switches them off."""
    with Trace(proxy, tmp_path, "--all"):
        for process in [*(observer := observer_of(proxy)).children(recursive=True), observer]:
            process.kill()

        wait_until(lambda: are_copies_off(proxy), "the copies have ended")
