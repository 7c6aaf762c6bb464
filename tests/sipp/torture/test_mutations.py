"""Thousands of damaged messages: no worker dies, nothing leaks, and the next call works.

Few in an ordinary run. All of them, over UDP, TCP and TLS and with both Kamailios, in some minutes:

    scripts/test --torture -k damaged

TORTURE_MESSAGES makes it longer, TORTURE_SEED gives other messages.
"""

import os
import re
import socket
import sys
from collections.abc import Iterator

import pytest

from inline_proxy.kamailio_version import installed_version
from inline_proxy.lab.message import Message
from sipp.clearip import ClearIp, Site
from sipp.hosts import tcp_socket, udp_socket
from sipp.proxy import Proxies, Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.torture.attacker import Attacker, Next
from sipp.torture.mutation import OVERFLOWING_LENGTH, Mutations, seeds
from sipp.torture.vitals import Vitals

MESSAGES = int(os.environ.get("TORTURE_MESSAGES") or "3000")
SEED = int(os.environ.get("TORTURE_SEED") or "1")
SWITCH = "127.45.0.1"
ELSEWHERE = "127.0.0.66"
"""Where the damaged messages lead, by Request-URI, Route and Contact: nobody may hear of them."""
SIP_PORT = 5060
SINGLE = ("from", "to", "call-id", "cseq", "max-forwards")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@pytest.fixture
def victim(proxies: Proxies, clearip_sites: tuple[Site, ...]) -> Iterator[Proxy]:
    """A proxy for one test alone, with logs that are not kept from any other."""
    assert clearip_sites
    proxy = proxies.fresh({})
    yield proxy
    proxy.stop()


@pytest.mark.timeout(120 + MESSAGES // 50)
def test_damaged_messages_harm_nobody(
    victim: Proxy, clearip: ClearIp, clearip_sites: tuple[Site, ...], sipp: Sipp
) -> None:
    """Over UDP, TCP and TLS; memory stays as it is, and ClearIP gets well-formed calls alone."""
    mutations = Mutations(SEED, seeds(f"{ELSEWHERE}:{SIP_PORT}"))
    vitals = Vitals.of(victim)
    heard_before = [len(site.record.entries) for site in clearip_sites]
    with (
        Attacker(SWITCH, sipp.number) as attacker,
        udp_socket(ELSEWHERE, SIP_PORT) as datagrams,
        tcp_socket(ELSEWHERE, SIP_PORT) as connections,
    ):
        connections.listen()
        attack(attacker, victim, mutations, MESSAGES // 5)
        vitals.remember_memory()
        attack(attacker, victim, mutations, MESSAGES - MESSAGES // 5)

        assert attacker.sent == MESSAGES
        vitals.prove_well()
        assert is_silent(datagrams)
        assert is_silent(connections)
    unprintable = [line for line in victim.log().splitlines() if not line.isprintable()]
    assert not unprintable, unprintable[:5]
    for site, before in zip(clearip_sites, heard_before, strict=True):
        for entry in site.record.entries[before:]:
            if entry.direction == "received":
                prove_well_formed(Message.parse(entry.text))
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    assert all_succeeded(sipp.play("uac-answered", to=victim), target)
    shared, private = vitals.memory()
    sys.stdout.write(
        f"{attacker.sent} messages; shared memory {vitals.shared_bytes} -> {shared} bytes, "
        f"the {len(vitals.workers)} processes' own {vitals.private_bytes} -> {private}\n"
    )


def attack(attacker: Attacker, proxy: Proxy, mutations: Mutations, count: int) -> None:
    """Send a third of the messages over each transport."""
    attacker.over_udp(proxy.place("udp"), count - 2 * (count // 3), mutations.next)
    crashes_on_overflow = installed_version() < (5, 8, 0)
    harmless = without_overflow(mutations) if crashes_on_overflow else mutations.next
    attacker.over_streams(proxy.place("tcp"), count // 3, harmless)
    attacker.over_streams(proxy.place("tls"), count // 3, harmless)
    attacker.prove_answered(proxy.place("udp"))


def without_overflow(mutations: Mutations) -> Next:
    """Leave out what crashes this Kamailio before any script runs: the packet filter's part."""

    def harmless(sent_by: str) -> bytes:
        while OVERFLOWING_LENGTH.search(text := mutations.next(sent_by)):
            pass
        return text

    return harmless


def is_silent(hearing: socket.socket) -> bool:
    """Whether no datagram and no connection waits there."""
    hearing.settimeout(0)
    try:
        hearing.accept() if hearing.type == socket.SOCK_STREAM else hearing.recv(100)
    except BlockingIOError:
        return True
    return False


def prove_well_formed(message: Message) -> None:
    """What ClearIP was sent is a request of the proxy's own kind, or asks how it is."""
    if message.method == "OPTIONS":
        assert "torture" not in message.header("call-id")
        return
    assert message.method in {"INVITE", "ACK", "CANCEL"}
    assert message.request_uri.rpartition("@")[2] == "sip.clearip.com"
    assert not CONTROL.search(message.start_line)
    for name in SINGLE:
        assert len(message.headers(name)) == 1, f"{name} in {message.start_line}"
    if message.method == "INVITE":
        assert ";tag=" not in message.header("to").rpartition(">")[2]
