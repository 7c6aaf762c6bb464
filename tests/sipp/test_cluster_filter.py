"""The packet filter at the port that the nodes of a group tell each other at, with real packets."""

from functools import partial

import pytest

from sipp.hosts import udp_socket
from sipp.wire import (
    CARRIER,
    CARRIER_IPV6,
    PROXY,
    PROXY_IPV6,
    SWITCH,
    SWITCH_IPV6,
    TRUSTED,
    Wire,
)

CLUSTER = 5070


@pytest.mark.parametrize(
    ("own", "peer", "switch"),
    [(PROXY, CARRIER, SWITCH), (PROXY_IPV6, CARRIER_IPV6, SWITCH_IPV6)],
    ids=["ipv4", "ipv6"],
)
def test_port_of_the_cluster_is_for_its_nodes(wire: Wire, own: str, peer: str, switch: str) -> None:
    """A trusted switch has no business there, and a node none at the other ports."""
    wire.load(f"{TRUSTED}cluster: {{address: '{own}', peers: ['{peer}'], port: {CLUSTER}}}\n")
    heard = wire.open(wire.proxy, lambda: udp_socket(own, CLUSTER))
    sip = wire.hearing(own)

    for source in (switch, peer):
        sender = wire.open(wire.outside, partial(udp_socket, source))
        sender.sendto(source.encode(), (own, CLUSTER))
    wire.says(peer, b"a call", to=own)
    wire.says(switch, b"hello", to=own)

    assert heard.recv(100) == peer.encode()
    assert sip.recv(100) == b"hello"
    assert wire.counted("strangers") == 2
