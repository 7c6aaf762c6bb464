"""The proxy's host behind its packet filter, the world outside, and a wire between them."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import ip_address

from inline_proxy.config import parse_config
from inline_proxy.listeners import Listener
from inline_proxy.packet_filter import packet_filter
from sipp.hosts import Host, join, part, reachable, tcp_socket, udp_socket

PROXY, PROXY_IPV6 = "192.0.2.1", "2001:db8::1"
SWITCH, SWITCH_IPV6 = "10.1.0.2", "2001:db8:10::2"
CARRIER, CARRIER_IPV6 = "203.0.113.7", "2001:db8:203::7"
STRANGER, STRANGER_IPV6 = "198.51.100.9", "2001:db8:198::9"
TRUSTED = "trusted: [10.0.0.0/8, '2001:db8:10::/48']\n"
PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}
LISTENERS = tuple(
    Listener(transport, ip_address(address), port)  # type: ignore[arg-type]
    for transport, port in PORTS.items()
    for address in (PROXY, PROXY_IPV6)
)
SOON_S = 0.3
"""How long a connection is tried that the filter is to stop: a dropped packet says nothing."""


@dataclass(slots=True)
class Wire:
    """The two hosts, and what the tests do on them."""

    proxy: Host
    outside: Host
    opened: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def lay(cls) -> "Wire":
        """Two hosts, and the addresses that live on them."""
        return cls.lay_between(Host(), Host())

    @classmethod
    def lay_between(cls, proxy: Host, outside: Host) -> "Wire":
        """The same between hosts that are there."""
        wire = cls(proxy, outside)
        join(wire.proxy, wire.outside)
        reachable(wire.proxy, PROXY, "10.1.0.0/24", "203.0.113.0/24", "198.51.100.0/24")
        reachable(wire.proxy, PROXY_IPV6, "2001:db8::/32")
        for address in (SWITCH, CARRIER, STRANGER):
            reachable(wire.outside, address, "192.0.2.0/24")
        for address in (SWITCH_IPV6, CARRIER_IPV6, STRANGER_IPV6):
            reachable(wire.outside, address, "2001:db8::/64")
        return wire

    def take_down(self) -> None:
        """Close what the tests have opened; the hosts go with it."""
        self.opened.close()
        part(self.proxy)
        self.proxy.close()
        self.outside.close()

    def load(self, text: str = TRUSTED, *, user_id: int = 0) -> None:
        """Load the rules for a configuration."""
        self.load_rules(packet_filter(parse_config(text), LISTENERS, user_id))

    def load_rules(self, rules: str) -> None:
        """Check rules, then load them."""
        self.proxy.run("nft", "-c", "-f", "-", given=rules)
        self.proxy.run("nft", "-f", "-", given=rules)

    def open(self, host: Host, make: Callable[[], socket.socket]) -> socket.socket:
        """A socket on one of the hosts, until the test ends."""
        return self.opened.enter_context(host.call(make))

    def listening(self, address: str = PROXY, port: int = 5060) -> socket.socket:
        """A TCP server on the proxy's host."""
        server = self.open(self.proxy, lambda: tcp_socket(address, port))
        server.listen()
        return server

    def hearing(self, address: str = PROXY) -> socket.socket:
        """The proxy's UDP socket."""
        return self.open(self.proxy, lambda: udp_socket(address, 5060))

    def says(self, source: str, text: bytes, *, to: str = PROXY) -> None:
        """Send a datagram from outside."""
        self.open(self.outside, lambda: udp_socket(source)).sendto(text, (to, 5060))

    def gets_through(self, source: str, *, to: str = PROXY, port: int = 5060) -> bool:
        """Whether a connection from outside is opened; where it is not, nothing is answered."""
        client = self.open(self.outside, lambda: tcp_socket(source))
        client.settimeout(SOON_S)
        try:
            client.connect((to, port))
        except TimeoutError:
            return False
        client.settimeout(None)
        return True

    def counted(self, name: str) -> int:
        """How many packets a counter of the rules has seen."""
        listed = self.proxy.run("nft", "list", "counter", "inet", "inline_proxy", name)
        return int(listed.split("packets ")[1].split()[0])
