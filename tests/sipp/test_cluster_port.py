"""The port that the nodes of a group tell each other at: who is heard there, and saying what."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sipp.clearip import ClearIp, Site
from sipp.group import PORT, THREE, TWO_IPV6, Group, group_of
from sipp.proxy import Proxies, Proxy
from sipp.raw_request import RawCaller, request
from sipp.waiting import wait_until

STRANGER, UNTRUSTED = "127.0.0.50", "127.128.0.1"


@pytest.fixture(scope="module")
def group(
    proxies: Proxies, clearip_sites: tuple[Site, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Group]:
    """Two nodes."""
    assert clearip_sites
    with group_of(proxies, tmp_path_factory.mktemp("group"), THREE[:2]) as nodes:
        yield nodes


def news_of(entry: str, table: str = "cluster") -> str:
    """A message as DMQ sends it, that sets an entry of a table."""
    values = {"action": 2, "htname": table, "cname": entry, "type": 2, "strval": "x", "mode": 1}
    return json.dumps(values)


def kdmq(group: Group, node: Proxy, number: str, body: str, **changed: str) -> str:
    """A request of DMQ's."""
    place = group.place(node)
    changed = {"uri": f"sip:htable@{place.host_port}", "content_length": str(len(body))} | changed
    return request("KDMQ", number, place, "Content-Type: application/json", **changed) + body


@pytest.mark.parametrize("host", [STRANGER, UNTRUSTED], ids=["trusted-source", "stranger"])
@pytest.mark.parametrize("method", ["KDMQ", "OPTIONS", "INVITE"])
def test_nobody_but_a_peer_is_heard_on_the_cluster_port(
    group: Group, clearip: ClearIp, number: str, host: str, method: str
) -> None:
    """A source of calls is no peer; nobody hears anything."""
    node = group.nodes[0]
    text = kdmq(group, node, number, news_of(host))
    if method != "KDMQ":
        text = request(method, number, group.place(node))
    with RawCaller(group.place(node), host) as caller:
        with node.turning_away():
            caller.send(text)
        assert caller.has_heard_nothing()

    assert host not in node.ask("htable.dump", "cluster")
    assert not clearip.received()


OWN = "127.0.0.22"
UNTRUE = {
    "entry-of-another-node": ("KDMQ", news_of("127.0.0.23"), {}),
    "another-table": ("KDMQ", news_of("lines version", "sites"), {}),
    "another-channel": ("KDMQ", news_of(OWN), {"uri": f"sip:dialog@127.0.0.21:{PORT}"}),
    "a-call": ("INVITE", news_of(OWN), {"cseq": "1 INVITE"}),
    "a-node-by-name": (
        "KDMQ",
        "sip:a.example:5999;status=active",
        {"uri": f"sip:notification_peer@127.0.0.21:{PORT}"},
    ),
}


@pytest.mark.parametrize("case", UNTRUE)
def test_peer_says_nothing_but_its_own_news(
    group: Group, clearip: ClearIp, number: str, case: str
) -> None:
    """Kamailio would write any entry of any table for it, and take any node into the group."""
    node, (method, body, changed) = group.nodes[0], UNTRUE[case]
    before = node.count("counters", "cluster_messages_refused")
    text = kdmq(group, node, number, body, **changed)
    with RawCaller(group.place(node), OWN) as caller:
        caller.send(text.replace("KDMQ ", f"{method} ", 1))
        wait_until(
            lambda: node.count("counters", "cluster_messages_refused") == before + 1,
            "the message is refused",
        )
        assert caller.has_heard_nothing()

    assert "value: x" not in node.ask("htable.dump", "cluster") + node.ask("htable.dump", "sites")
    assert "a.example" not in node.ask("dmq.list_nodes")
    assert not clearip.received()


def test_message_of_the_group_on_a_sip_port_is_any_other_request(
    group: Group, clearip: ClearIp, number: str
) -> None:
    """A trusted source hears 405, a stranger nothing."""
    node = group.nodes[0]
    text = kdmq(group, node, number, news_of(STRANGER))
    with RawCaller(node.place("udp"), STRANGER) as trusted:
        trusted.send(text)
        assert trusted.hear_final().status == 405
    with RawCaller(node.place("udp"), UNTRUSTED) as stranger:
        with node.turning_away():
            stranger.send(text)
        assert stranger.has_heard_nothing()
    assert STRANGER not in node.ask("htable.dump", "cluster")
    assert not clearip.received()


@pytest.fixture
def _ipv6_addresses(_own_network: None) -> Iterator[None]:
    """Those of the nodes, which the tests after this one know nothing of."""
    for address in TWO_IPV6:
        _ip("add", address, "nodad")
    yield
    for address in TWO_IPV6:
        _ip("delete", address)


def _ip(order: str, address: str, *options: str) -> None:
    words = ("ip", "-6", "address", order, f"{address}/128", "dev", "lo", *options)
    subprocess.run(words, check=True)


@pytest.mark.usefixtures("_ipv6_addresses")
def test_nodes_hear_each_other_over_ipv6(
    proxies: Proxies, clearip_sites: tuple[Site, ...], tmp_path: Path
) -> None:
    """Where that is the family of the nodes' network."""
    assert clearip_sites
    with group_of(proxies, tmp_path, TWO_IPV6) as nodes:
        assert {nodes.heard_by(node) for node in nodes.nodes} == {2}
