"""A real proxy behind the packet filter that its own configuration makes, with real packets.

The proxy and ClearIP are on this host; switches, a carrier and a stranger are across a wire.
"""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from inline_proxy.lab.conversation import response
from inline_proxy.lab.message import Message, decode
from sipp.clearip import ClearIp, Site
from sipp.flood import call
from sipp.hosts import Host, OwnHost, reachable, udp_socket
from sipp.place import Place
from sipp.proxy import Proxies, Proxy, ProxyAddress
from sipp.raw_request import RawCaller, request
from sipp.wire import CARRIER, PROXY, STRANGER, SWITCH, Wire

OTHER_SWITCH = "10.1.0.3"
CONFIG = {
    "listen": {"addresses": [PROXY]},
    "trusted": ["10.1.0.0/24"],
    "packet_filter": {"max_datagram_rate": 300},
}
FLOOD = 20_000
CALLS = 40
"""Of the switch that does not flood: more than a few, and far below the rate."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """The proxy, the wire to it, and where it listens."""

    proxy: Proxy
    wire: Wire

    @property
    def address(self) -> ProxyAddress:
        """The proxy as those outside reach it."""
        return self.proxy.at(PROXY)

    @property
    def place(self) -> Place:
        """Where it hears datagrams."""
        return self.address.place("udp")

    def caller(self, host: str) -> RawCaller:
        """Somebody outside who sends requests."""
        return self.wire.outside.call(lambda: RawCaller(self.place, host))


@pytest.fixture
def filtered(proxies: Proxies, clearip_sites: tuple[Site, ...]) -> Iterator[Filtered]:
    """A proxy behind the rules that `inline-proxy packet-filter` prints for it."""
    assert clearip_sites
    wire = Wire.lay_between(OwnHost(), Host())
    reachable(wire.outside, OTHER_SWITCH, "192.0.2.0/24")
    proxy = proxies.fresh(CONFIG)
    wire.load_rules(rules_of(proxy))
    yield Filtered(proxy, wire)
    proxy.stop()
    wire.proxy.run("nft", "delete", "table", "inet", "inline_proxy")
    wire.take_down()


def rules_of(proxy: Proxy) -> str:
    """What the operator's command prints."""
    command = ("-m", "inline_proxy", "packet-filter", str(proxy.directory / "config.yaml"))
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=True
    ).stdout


def routes_of(invite: Message) -> list[str]:
    """The Record-Route lines that a response repeats (RFC 3261 §12.1.1)."""
    return [f"Record-Route: {route}" for route in invite.headers("record-route")]


def sends_without_pause(flooder: RawCaller, place: Place) -> int:
    """Send the same OPTIONS as fast as the kernel takes them; how many."""
    text = request("OPTIONS", "+14705550000", place)
    for _ in range(FLOOD):
        flooder.send(text)
    return FLOOD


def test_call_to_a_target_that_clearip_chose_goes_both_ways(
    filtered: Filtered, clearip: ClearIp, number: str
) -> None:
    """The carrier is in no configuration; what the proxy sends it lets its answer in."""
    clearip.redirects_to(f"sip:{number}@{CARRIER}:5060")
    carrier = filtered.wire.open(filtered.wire.outside, lambda: udp_socket(CARRIER, 5060))
    contact = f"Contact: <sip:{CARRIER}>"

    with filtered.caller(SWITCH) as switch:
        switch.send(request("INVITE", number, filtered.place))
        invite = Message.parse(decode(carrier.recv(65_535)))
        answer = response(invite, 200, "OK", [*routes_of(invite), contact])
        carrier.sendto(answer.encode(), filtered.place.endpoint)
        assert switch.hear_final().status == 200


def test_stranger_is_not_heard_over_any_transport(
    filtered: Filtered, clearip: ClearIp, number: str
) -> None:
    """Nothing comes back, and nothing reaches ClearIP; the switch's call after it does."""
    clearip.says(603, "Decline")

    with filtered.caller(STRANGER) as stranger, filtered.caller(SWITCH) as switch:
        for method in ("OPTIONS", "REGISTER", "INVITE"):
            stranger.send(request(method, number, filtered.place))
        switch.send(call(filtered.address, number, 1))
        assert switch.hear_final().status == 603
        assert stranger.has_heard_nothing()

    assert clearip.was_asked_once()
    assert not filtered.wire.gets_through(STRANGER, port=filtered.proxy.port)
    assert not filtered.wire.gets_through(STRANGER, port=filtered.proxy.port + 1)
    assert filtered.wire.gets_through(SWITCH, port=filtered.proxy.port)


def test_switch_that_sends_without_pause_costs_another_no_call(
    filtered: Filtered, clearip: ClearIp, number: str
) -> None:
    """Each of the other's calls is answered without being sent again."""
    clearip.says(603, "Decline")

    with (
        filtered.caller(SWITCH) as flooder,
        filtered.caller(OTHER_SWITCH) as switch,
        ThreadPoolExecutor(1) as executor,
    ):
        flood = executor.submit(sends_without_pause, flooder, filtered.place)
        for index in range(CALLS):
            switch.send(call(filtered.address, number, index))
            assert switch.hear_final().status == 603
            switch.send(call(filtered.address, number, index, "ACK"))
        sent = flood.result()

    dropped = filtered.wire.counted("sent_too_fast")
    assert dropped > sent // 2
    assert len(clearip.received("INVITE")) == CALLS
