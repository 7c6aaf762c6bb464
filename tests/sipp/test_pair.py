"""Two nodes and a floating address: what becomes of calls when one of them goes."""

import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from inline_proxy.lab.certificates import CertificateAuthority
from inline_proxy.lab.conversation import Settings
from inline_proxy.lab.server import StandIn, TlsIdentity, in_thread
from sipp.clearip import ClearIp, Site
from sipp.pair import (
    CARRIER,
    CLEARIP,
    SITE_PORT,
    SWITCH,
    Floating,
    Node,
    Pair,
    bridge,
    node_config,
    signal_all,
)
from sipp.proxy import Config
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp
from sipp.tls_bridge import Certificate
from sipp.waiting import wait_until

TAKE_OVER_S = 3.0
LOOK_EVERY_S = 1.0
"""keepalived's interval; a process that is being looked at just then is looked at again."""


@pytest.fixture(scope="module")
def _network(_own_network: None) -> Iterator[None]:
    """The bridge."""
    with bridge():
        yield


@pytest.fixture(scope="module")
def site(_network: None, certificate: Certificate) -> Iterator[Site]:
    """ClearIP, as both nodes reach it."""
    opened = Site()
    tls = TlsIdentity(certificate.certificate, certificate.private_key)
    stand_in = StandIn(Settings(answer_for=opened.answer_for), opened.record, tls)
    with in_thread(stand_in, CLEARIP, SITE_PORT):
        yield opened


@pytest.fixture
def clearip(site: Site, number: str) -> ClearIp:
    """ClearIP, as far as this test's calls go."""
    return ClearIp(number, (site,))


@pytest.fixture
def pair(
    site: Site, authority: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """Two nodes, one of which has the floating address."""
    assert site.record is not None
    directory = tmp_path_factory.mktemp("pair")
    ca_file, keys = directory / "ca.pem", directory / "keys"
    ca_file.write_bytes(authority.pem)
    keys.write_text(secrets.token_hex(32) + "\n")
    with ExitStack() as running:
        nodes = []
        for number, other in ((1, 2), (2, 1)):
            config: Config = node_config(number, (other,), ca_file, keys)
            node = Node.start(number, directory / str(number), config)
            running.callback(node.stop)
            node.keep()
            nodes.append(node)
        pair = Pair((nodes[0], nodes[1]))
        pair.settle()
        yield pair
        for node in nodes:
            print(node.story())  # noqa: T201 - pytest shows it when the test has failed


@dataclass(slots=True)
class Scene:
    """The switch and the carrier."""

    clearip: ClearIp
    sipp: Sipp

    def call(self, caller: str, callee: str) -> tuple[Role, Role]:
        """Place a call through whoever has the floating address."""
        target = self.sipp.play(callee, host=CARRIER)
        self.clearip.redirects_to(target.at())
        return self.sipp.play(caller, to=Floating(), host=SWITCH), target


@pytest.fixture
def scene(clearip: ClearIp, sipp: Sipp) -> Scene:
    """A switch and a carrier."""
    return Scene(clearip, sipp)


def takes_over(node: Node) -> float:
    """Wait until a node has the floating address; return how long it took, in seconds."""
    began = time.monotonic()
    wait_until(lambda: node.has_the_address, f"node {node.number} takes over")
    return time.monotonic() - began


@pytest.mark.parametrize(
    "ends",
    [("uac-hangs-up-on-cue", "target-hung-up-on"), ("uac-answered", "target-hangs-up-on-cue")],
    ids=["caller-hangs-up", "target-hangs-up"],
)
def test_power_cut_ends_no_call_that_is_up(pair: Pair, scene: Scene, ends: tuple[str, str]) -> None:
    """The other node has the address in three seconds, and passes the BYE of either side."""
    caller, target = scene.call(*ends)
    target.wait_for("ACK")
    standby = pair.standby

    pair.active.pull_the_plug()
    took_s = takes_over(standby)
    (caller if "cue" in ends[0] else target).cue()

    assert took_s < TAKE_OVER_S
    assert all_succeeded(caller, target)


def test_power_cut_loses_no_call_that_rings_or_begins(pair: Pair, scene: Scene) -> None:
    """The answer to the one passes the other node; the other is sent again by the switch."""
    ringing, answers = scene.call("uac-hangs-up", "target-answers-on-cue")
    ringing.wait_for(180)
    standby = pair.standby

    pair.active.pull_the_plug()
    beginning, called = scene.call("uac-hangs-up", "target-hung-up-on")
    took_s = takes_over(standby)
    answers.cue()

    assert took_s < TAKE_OVER_S
    assert all_succeeded(ringing, answers, beginning, called)


def test_node_that_comes_back_cuts_no_call_and_lets_the_other_keep_the_address(
    pair: Pair, scene: Scene
) -> None:
    """A re-INVITE passes through whoever has the address; the standby works when it is needed."""
    caller, target = scene.call("uac-reinvites", "target-reinvited")
    target.wait_for("ACK")
    first, second = pair.active, pair.standby
    first.cut()
    takes_over(second)

    first.mend()
    wait_until(lambda: not first.has_the_address, "the one that comes back is the standby")
    caller.cue()

    assert second.has_the_address
    assert all_succeeded(caller, target)


def test_kamailio_that_hangs_gives_the_address_up(pair: Pair, scene: Scene) -> None:
    """Its host and its keepalived are well."""
    standby = pair.standby

    signal_all(pair.active.kamailio, signal.SIGSTOP)
    took_s = takes_over(standby)
    caller, target = scene.call("uac-hangs-up", "target-hung-up-on")

    assert took_s < TAKE_OVER_S + LOOK_EVERY_S
    assert all_succeeded(caller, target)


def test_node_without_clearip_gives_the_address_to_one_that_has_it(
    pair: Pair, scene: Scene
) -> None:
    """And keeps it where the other one has lost ClearIP too."""
    active, standby = pair.active, pair.standby

    active.lose_clearip()
    takes_over(standby)
    caller, target = scene.call("uac-hangs-up", "target-hung-up-on")
    assert all_succeeded(caller, target)

    before = standby.lowered
    standby.lose_clearip()
    wait_until(lambda: standby.lowered > before, "the node knows that it takes no calls")
    assert standby.has_the_address


def test_drained_node_gives_the_address_to_the_other(pair: Pair, scene: Scene) -> None:
    """So it can be upgraded; the call that is up goes on through the other one."""
    caller, target = scene.call("uac-hangs-up-on-cue", "target-hung-up-on")
    target.wait_for("ACK")
    active, standby = pair.active, pair.standby

    said = active.command("drain", "--wait", "--attempts-only", "--timeout", "10")
    takes_over(standby)
    caller.cue()

    assert said.endswith("drained: no call is being set up\n")
    assert all_succeeded(caller, target)
    active.command("undrain")
    assert standby.has_the_address
