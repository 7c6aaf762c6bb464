"""Hosts on several networks: the proxy's, and beside it one with switch, carrier and ClearIP.

Every network is a wire of its own. The other host drops what comes from a wrong address of the
proxy's host, as its routers would.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from inline_proxy.lab.conversation import Settings
from inline_proxy.lab.server import StandIn, TlsIdentity, in_thread
from sipp.clearip import ClearIp, Site
from sipp.hosts import Host
from sipp.tls_bridge import Certificate

SITE_PORT = 6061
STRICT = "echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter"
"""A packet is dropped whose sender is not on the network that it comes from (RFC 3704 §2.2)."""
FORWARDS = "echo 1 >/proc/sys/net/ipv4/ip_forward"


@dataclass(frozen=True, slots=True)
class Network:
    """A network with the proxy's host and the other one."""

    interface: str
    proxy: str
    other: str
    length: int

    def lay(self, proxy: Host, other: Host) -> None:
        """Connect both hosts to it."""
        wire = f"ip link add {self.interface} type veth peer name {self.interface}"
        proxy.run(*wire.split(), "netns", other.path)
        for host, address in ((proxy, self.proxy), (other, self.other)):
            self.give(host, address)

    def give(self, host: Host, address: str) -> None:
        """Give a host its address on the network."""
        # Nobody else is there: no need to wait until an IPv6 address is known to be unique.
        nodad = ("nodad",) if ":" in address else ()
        host.run("ip", "addr", "add", f"{address}/{self.length}", "dev", self.interface, *nodad)
        host.run("ip", "link", "set", self.interface, "up")

    def take(self, host: Host) -> None:
        """Take a host's address on the network away."""
        host.run("ip", "addr", "flush", "dev", self.interface)


IPV4: Mapping[str, Network] = {
    "switch": Network("inside", "10.9.0.1", "10.9.0.2", 24),
    "carrier": Network("outside", "192.0.2.1", "192.0.2.2", 24),
    "clearip": Network("service", "198.51.100.1", "198.51.100.2", 24),
}
IPV6: Mapping[str, Network] = {
    "switch": Network("inside", "2001:db8:9::1", "2001:db8:9::2", 64),
    "carrier": Network("outside", "2001:db8:c::1", "2001:db8:c::2", 64),
    "clearip": Network("service", "2001:db8:5::1", "2001:db8:5::2", 64),
}


@dataclass(slots=True)
class Hosts:
    """The proxy's host, the other one, and where ClearIP is there."""

    proxy: Host
    other: Host
    site: Site = field(default_factory=Site)

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to put before a command that is to run on the proxy's host."""
        return ("nsenter", f"--net={self.proxy.path}")

    def clearip(self, number: str) -> ClearIp:
        """ClearIP, as the calls to a number see it."""
        return ClearIp(number, (self.site,))

    def run_clearip(self, stack: ExitStack, address: str, certificate: Certificate) -> None:
        """Have ClearIP listen on the other host for as long as the stack is open."""
        tls = TlsIdentity(certificate.certificate, certificate.private_key)
        stand_in = StandIn(Settings(answer_for=self.site.answer_for), self.site.record, tls)
        with self.other.entered():  # the thread that it starts stays there
            stack.enter_context(in_thread(stand_in, address, SITE_PORT))


@contextmanager
def three_networks(networks: Mapping[str, Network], certificate: Certificate) -> Iterator[Hosts]:
    """The switch on one network, carriers on another, ClearIP on a third."""
    hosts = Hosts(Host(), Host())
    with ExitStack() as stack:
        for host in (hosts.proxy, hosts.other):
            stack.callback(host.close)
        hosts.other.run("sh", "-c", STRICT)
        for network in networks.values():
            network.lay(hosts.proxy, hosts.other)
        hosts.run_clearip(stack, networks["clearip"].other, certificate)
        yield hosts


PRIVATE = Network("private", "10.9.0.1", "10.9.0.254", 24)
INSIDE = Network("inside", "10.8.0.1", "10.8.0.2", 24)
"""A network of the proxy's and of the switch's, with no gateway in between."""
PUBLIC = Network("public", "203.0.113.7", "203.0.113.20", 24)
"""Where the proxy is seen from outside; everybody else is the other host on it."""
GATEWAY = f"""
table ip gateway {{
    chain arriving {{
        type nat hook prerouting priority -100;
        iifname "public" meta l4proto {{ tcp, udp }} th dport 8000-8001 dnat to {PRIVATE.proxy};
    }}
    chain leaving {{
        type nat hook postrouting priority 100;
        oifname "public" snat to {PUBLIC.proxy};
    }}
}}
"""


@contextmanager
def behind_nat(certificate: Certificate) -> Iterator[Hosts]:
    """The proxy in a private network; its gateway has the only address that others know."""
    hosts, gateway = Hosts(Host(), Host()), Host()
    with ExitStack() as stack:
        for host in (hosts.proxy, hosts.other, gateway):
            stack.callback(host.close)
        PRIVATE.lay(hosts.proxy, gateway)
        PUBLIC.lay(gateway, hosts.other)
        INSIDE.lay(hosts.proxy, hosts.other)
        hosts.proxy.run("ip", "route", "add", "default", "via", PRIVATE.other)
        gateway.run("sh", "-c", FORWARDS)
        gateway.run("nft", "-f", "-", given=GATEWAY)
        hosts.run_clearip(stack, PUBLIC.other, certificate)
        yield hosts


def ca_file_in(directory: Path, pem: bytes) -> Path:
    """Write the authority that vouches for ClearIP where the proxy may read it."""
    file = directory / "ca.pem"
    file.write_bytes(pem)
    return file
