"""`listen`: several networks, what is advertised, and transports that are off, in real calls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inline_proxy.kamailio_version import installed_version
from inline_proxy.lab.certificates import CertificateAuthority
from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.name_server import NameServer
from sipp.neighbour import NETWORKS, Neighbour, wired
from sipp.place import Place, Transport
from sipp.proxy import base_config
from sipp.role import Role, all_succeeded
from sipp.running import Run
from sipp.sipp import Sipp

SWITCH, CARRIER = (f"{network}.2" for network in NETWORKS.values())
FROM_SWITCH, FROM_CARRIER = (f"{network}.1" for network in NETWORKS.values())
"""The proxy's host, as each of them sees it."""
PORT = 8000
NAME, ADDRESS = "sip.example.net", "203.0.113.7"
"""What is advertised; nothing listens there."""
ENDS = pytest.mark.parametrize(
    "ends",
    [("uac-hangs-up", "target-hung-up-on"), ("uac-answered", "target-200")],
    ids=["caller-hangs-up", "target-hangs-up"],
)


class Proxy:
    """The proxy, as the switch reaches it."""

    def place(self, transport: Transport, *, ipv6: bool) -> Place:
        """Its address on the switch's network."""
        assert not ipv6
        return Place(FROM_SWITCH, PORT, transport)


@pytest.fixture(scope="module")
def neighbour(_own_network: None) -> Iterator[Neighbour]:
    """The host of the switch and of the carrier; it drops what comes from a wrong address."""
    with wired() as host:
        yield host


@pytest.fixture
def name_server(_own_network: None, tmp_path: Path) -> Iterator[NameServer]:
    """The proxy's name server."""
    with NameServer(tmp_path) as server:
        yield server


@pytest.fixture
def start(
    name_server: NameServer,
    authority: CertificateAuthority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Run]]:
    """Start a proxy that listens on all addresses; the carrier is not trusted, as is usual."""
    directory = tmp_path_factory.mktemp("between")
    ca_file = directory / "ca.pem"
    ca_file.write_bytes(authority.pem)
    started: list[Run] = []

    def start(**listen: object) -> Run:
        config = base_config(PORT, ca_file)
        del config["trusted"]
        config["listen"] = config["listen"] | {"addresses": "all"} | listen
        started.append(Run(directory, config, prefix=name_server.prefix))
        return started[-1]

    yield start
    for run in started:
        with run:
            print(run.log)  # noqa: T201 - pytest shows it when the test has failed


@dataclass(frozen=True)
class Scene:
    """A switch and a carrier on networks of their own, and the proxy's host on both."""

    neighbour: Neighbour
    clearip: ClearIp
    sipp: Sipp

    def call(self, caller: str, callee: str) -> tuple[Role, Role]:
        """Place a call through the proxy, and give both ends of it."""
        with self.neighbour.entered():
            target = self.sipp.play(callee, host=CARRIER)
            self.clearip.redirects_to(target.at())
            return self.sipp.play(caller, to=Proxy(), host=SWITCH), target


@pytest.fixture
def scene(neighbour: Neighbour, clearip: ClearIp, sipp: Sipp) -> Scene:
    """The two networks."""
    return Scene(neighbour, clearip, sipp)


def route_uris(values: list[str]) -> list[str]:
    """The URIs of Record-Route, without parameters."""
    uris = (value.strip().strip("<>") for header in values for value in header.split(","))
    return [uri.partition(";")[0] for uri in uris]


@ENDS
def test_call_between_two_networks_shows_each_its_own_address(
    start: Callable[..., Run], scene: Scene, ends: tuple[str, str]
) -> None:
    """Via and Record-Route hold what the one who reads them can reach."""
    start().wait_until_ready()

    switch, target = scene.call(*ends)

    assert all_succeeded(switch, target)
    assert target.invite.headers("via")[0].startswith(f"SIP/2.0/UDP {FROM_CARRIER}:{PORT};")
    assert route_uris(target.invite.headers("record-route")) == [
        f"sip:{FROM_CARRIER}:{PORT}",
        f"sip:{FROM_SWITCH}:{PORT}",
    ]


@ENDS
@pytest.mark.parametrize("advertise", [ADDRESS, NAME])
def test_what_is_advertised_is_shown_and_recognised(
    start: Callable[..., Run],
    name_server: NameServer,
    scene: Scene,
    ends: tuple[str, str],
    advertise: str,
) -> None:
    """In Via and Record-Route; requests in the dialog that name it are the proxy's own.

    They leave on the network where their target is.
    """
    name_server.addresses[NAME] = ADDRESS
    start(advertise=advertise).wait_until_ready()

    switch, target = scene.call(*ends)

    assert all_succeeded(switch, target)
    assert target.invite.headers("via")[0].startswith(f"SIP/2.0/UDP {advertise}:{PORT};")
    assert set(route_uris(target.invite.headers("record-route"))) == {f"sip:{advertise}:{PORT}"}


@pytest.mark.usefixtures("neighbour")
def test_advertised_name_without_address_is_refused_where_kamailio_needs_one(
    start: Callable[..., Run],
) -> None:
    """Kamailio 5.6 would start without the listeners that advertise it."""
    proxy = start(advertise=NAME)

    if installed_version().opens_listeners_with_unresolved_names:
        proxy.wait_until_ready()
        return
    assert proxy.exit_code() == 2
    assert proxy.log == (
        f"listen.advertise: {NAME} has no address in the DNS, and Kamailio {installed_version()} "
        "opens no listener without; put it into /etc/hosts, or give an address instead\n"
    )


@pytest.mark.parametrize(
    ("off", "used"),
    [
        (["tls"], ("udp", "udp")),
        (["tls"], ("tcp", "udp")),
        (["udp"], ("tcp", "tcp")),
        (["udp"], ("tls", "tls")),
        (["tcp"], ("udp", "udp")),
        (["tcp"], ("tls", "udp")),
        (["udp", "tls"], ("tcp", "tcp")),
        (["tcp", "tls"], ("udp", "udp")),
    ],
)
def test_transport_that_is_off_stops_no_call_over_another(
    proxy_with: ProxyWith,
    clearip: ClearIp,
    sipp: Sipp,
    off: list[str],
    used: tuple[Transport, Transport],
) -> None:
    """ClearIP is asked over TLS in any case."""
    transport, to = used
    proxy = proxy_with(listen=dict.fromkeys(off))
    target = sipp.play("target-200", transport=to)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy, transport=transport)

    assert all_succeeded(caller, target)
    assert clearip.was_asked_once()
