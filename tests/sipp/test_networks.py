"""Hosts with several networks, of IPv6 alone, with addresses that come late, and behind NAT."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from inline_proxy.lab.certificates import CertificateAuthority
from sipp.clearip import ClearIp
from sipp.networks import (
    INSIDE,
    IPV4,
    IPV6,
    PRIVATE,
    PUBLIC,
    SITE_PORT,
    Hosts,
    Network,
    behind_nat,
    ca_file_in,
    three_networks,
)
from sipp.place import Place, Transport, bracketed
from sipp.proxy import base_config
from sipp.role import Role, all_succeeded
from sipp.running import Run
from sipp.sipp import Sipp
from sipp.tls_bridge import Certificate

PORT = 8000


class Way(NamedTuple):
    """What a call goes over on both sides, and who hangs up."""

    switch: Transport
    carrier: Transport
    caller: str
    callee: str


WAYS = pytest.mark.parametrize(
    "way",
    [
        Way("udp", "udp", "uac-hangs-up", "target-hung-up-on"),
        Way("udp", "udp", "uac-answered", "target-200"),
        Way("tcp", "tcp", "uac-answered", "target-200"),
        Way("tcp", "udp", "uac-hangs-up", "target-hung-up-on"),
    ],
    ids="-".join,
)
FAMILIES = pytest.mark.parametrize("networks", [IPV4, IPV6], ids=["IPv4", "IPv6"])


@dataclass(frozen=True)
class At:
    """The proxy at one address of its host, or of its gateway."""

    address: str

    def place(self, transport: Transport, *, ipv6: bool) -> Place:
        """Where it listens for a transport."""
        assert ipv6 == (":" in self.address)
        return Place(self.address, PORT, transport)


@dataclass(frozen=True)
class Scene:
    """The proxy on its host; on the other one the switch, the carrier and ClearIP."""

    hosts: Hosts
    sipp: Sipp
    clearip: ClearIp
    switch: str
    carrier: str

    def call(self, proxy: str, way: Way) -> tuple[Role, Role]:
        """Place a call to an address of the proxy's, and give both ends of it, which are well."""
        with self.hosts.other.entered():
            target = self.sipp.play(way.callee, host=self.carrier, transport=way.carrier)
            self.clearip.redirects_to(target.at())
            switch = self.sipp.play(
                way.caller, to=At(proxy), host=self.switch, transport=way.switch
            )
            assert all_succeeded(switch, target)
        return switch, target

    def asked_from(self) -> tuple[str, str]:
        """The address that ClearIP was asked from, and the sent-by of the query's Via."""
        assert self.clearip.was_asked_once()
        peer = self.clearip.entries()[0].peer.rpartition(":")[0].strip("[]")
        return peer, sent_by(self.clearip.invite.headers("via")[0])


@dataclass(frozen=True)
class Houses:
    """Builds scenes, each with a proxy that asks the ClearIP beside it."""

    sipp: Sipp
    number: str
    authority: CertificateAuthority
    directory: Path
    opened: ExitStack

    def scene(self, hosts: Hosts, clearip: str, parties: tuple[str, str], **parts: Any) -> Scene:  # noqa: ANN401
        """Start the proxy, its configuration changed part by part."""
        config = base_config(PORT, ca_file_in(self.directory, self.authority.pem))
        config["clearip"]["sites"] = [{"host": clearip, "port": SITE_PORT}]
        config["trusted"] = parts.get("trusted", ["10.9.0.0/24", "2001:db8:9::/64"])
        config["listen"] |= {"addresses": "all"} | parts.get("listen", {})
        run = self.opened.enter_context(Run(self.directory, config, prefix=hosts.prefix))
        self.opened.callback(lambda: print(run.log))  # noqa: T201 - seen when the test has failed
        run.wait_until_ready()
        return Scene(hosts, self.sipp, hosts.clearip(self.number), *parties)


def sent_by(via: str) -> str:
    """Transport and host of a Via."""
    return via.partition(";")[0].removeprefix("SIP/2.0/")


def route_uris(values: list[str]) -> list[str]:
    """The URIs of Record-Route, without parameters."""
    uris = (value.strip().strip("<>") for header in values for value in header.split(","))
    return [uri.partition(";")[0] for uri in uris]


@pytest.fixture
def houses(
    sipp: Sipp,
    number: str,
    authority: CertificateAuthority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Houses]:
    """Where proxies are started; they end with the test."""
    with ExitStack() as stack:  # a control socket's path must be short
        yield Houses(sipp, number, authority, tmp_path_factory.mktemp("p"), stack)


@pytest.fixture
def hosts(
    networks: Mapping[str, Network], certificate: Certificate, houses: Houses
) -> Iterator[Hosts]:
    """Three networks of one family; there is no address of the other but on loopback."""
    with three_networks(networks, certificate) as hosts:
        yield hosts
        houses.opened.close()


@FAMILIES
@WAYS
def test_switch_carrier_and_clearip_each_see_the_address_of_their_own_network(
    houses: Houses, hosts: Hosts, networks: Mapping[str, Network], way: Way
) -> None:
    """As the sender of packets, in Via and in Record-Route."""
    inside, outside, service = (networks[who] for who in ("switch", "carrier", "clearip"))
    scene = houses.scene(hosts, service.other, (inside.other, outside.other))

    _, target = scene.call(inside.proxy, way)

    towards_carrier = f"{bracketed(outside.proxy)}:{PORT}"
    towards_switch = f"{bracketed(inside.proxy)}:{PORT}"
    assert sent_by(target.invite.headers("via")[0]) == f"{way.carrier.upper()} {towards_carrier}"
    assert route_uris(target.invite.headers("record-route")) == [
        f"sip:{towards_carrier}",
        f"sip:{towards_switch}",
    ]
    assert scene.asked_from() == (service.proxy, f"TLS {bracketed(service.proxy)}:{PORT + 1}")


@pytest.mark.parametrize("networks", [IPV4], ids=["IPv4"])
def test_address_that_comes_later_takes_calls_at_once(
    houses: Houses, hosts: Hosts, networks: Mapping[str, Network]
) -> None:
    """With `listen.floating` its sockets are there before the interface has it."""
    inside, outside, service = (networks[who] for who in ("switch", "carrier", "clearip"))
    inside.take(hosts.proxy)
    listen = {"addresses": [each.proxy for each in networks.values()], "floating": True}
    scene = houses.scene(hosts, service.other, (inside.other, outside.other), listen=listen)
    inside.give(hosts.proxy, inside.proxy)

    _, target = scene.call(inside.proxy, Way("udp", "udp", "uac-answered", "target-200"))

    assert route_uris(target.invite.headers("record-route")) == [
        f"sip:{outside.proxy}:{PORT}",
        f"sip:{inside.proxy}:{PORT}",
    ]


@WAYS
def test_switch_that_is_not_behind_nat_sees_the_address_of_its_network(
    houses: Houses, certificate: Certificate, way: Way
) -> None:
    """The carrier sees what is advertised; each side's requests in the dialog find the proxy."""
    public, others = PUBLIC.proxy, PUBLIC.other
    with behind_nat(certificate) as hosts, houses.opened:
        scene = houses.scene(
            hosts,
            others,
            (INSIDE.other, others),
            listen={"advertise": public, "advertise_on": [PRIVATE.interface]},
            trusted=[f"{INSIDE.other}/32"],
        )

        _, target = scene.call(INSIDE.proxy, way)

        assert sent_by(target.invite.headers("via")[0]) == f"{way.carrier.upper()} {public}:{PORT}"
        assert route_uris(target.invite.headers("record-route")) == [
            f"sip:{public}:{PORT}",
            f"sip:{INSIDE.proxy}:{PORT}",
        ]
        assert scene.asked_from() == (public, f"TLS {public}:{PORT + 1}")


@WAYS
def test_proxy_behind_nat_is_known_by_what_it_advertises_alone(
    houses: Houses, certificate: Certificate, way: Way
) -> None:
    """Nobody outside is told of the private address, and what they send finds the proxy."""
    public, others = PUBLIC.proxy, PUBLIC.other
    with behind_nat(certificate) as hosts, houses.opened:
        scene = houses.scene(
            hosts,
            others,
            (others, others),
            listen={"advertise": public},
            trusted=[f"{others}/32"],
        )

        switch, target = scene.call(public, way)

        assert sent_by(target.invite.headers("via")[0]) == f"{way.carrier.upper()} {public}:{PORT}"
        routes = route_uris(target.invite.headers("record-route"))
        assert {route.rpartition(":")[0] for route in routes} == {f"sip:{public}"}
        assert scene.asked_from() == (public, f"TLS {public}:{PORT + 1}")
        for message in (*switch.received(), *target.received(), *scene.clearip.received()):
            assert PRIVATE.proxy not in str(message)
