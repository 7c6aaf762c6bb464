"""Several nodes that know nothing of each other: each takes any request of any call."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sipp.clearip import ClearIp, Site
from sipp.dialog_scene import dialog_of
from sipp.proxy import Proxies, Proxy
from sipp.raw_request import RawCaller
from sipp.sipp import Sipp

NODES = 3


@pytest.fixture
def nodes(
    proxies: Proxies, clearip_sites: tuple[Site, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Proxy, ...]]:
    """Three of them, with the same keys."""
    assert clearip_sites
    keys = tmp_path_factory.mktemp("group") / "keys"
    keys.write_text(secrets.token_hex(32) + "\n")
    with ExitStack() as running:
        started = []
        for _ in range(NODES):
            started.append(proxies.fresh({"dialog": {"key_file": str(keys)}}))
            running.callback(started[-1].stop)
        yield tuple(started)


def test_request_in_a_dialog_passes_through_any_node_that_lives(
    nodes: tuple[Proxy, ...], clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """When the node that the call began on is gone, and when the next one is."""
    first, *others = nodes
    target = sipp.play("target-receives")
    clearip.redirects_to(target.at())
    dialog = dialog_of(sipp.play("uac-hangs-up-on-cue", to=first))
    target.wait_for("ACK")
    first.stop()

    for node, method in zip(others, ("INFO", "UPDATE"), strict=True):
        place = node.place("udp")
        route = f"<sip:{place.host_port};{dialog.routes[0].partition(';')[2]}"
        sent = dialog.request(
            method, number, place, target.uri, route=route, cseq=f"{node.port} {method}"
        )
        with RawCaller(place) as caller:
            caller.send(sent)
            target.wait_for(method)
        node.stop()
