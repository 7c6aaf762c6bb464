"""The group as an operator sees it: values in, values out."""

from dataclasses import replace

from clearip_proxy.cluster.news import News, to_text
from inline_proxy.commands.status_lines import cluster_lines
from inline_proxy.observation.cluster_nodes import ClusterNode, cluster_nodes, status_of_cluster
from inline_proxy.observation.metrics import Figures, exposition
from unit.observation.test_figures import kamailio, observed

OWN, OTHER, SILENT = "192.0.2.2", "192.0.2.1", "192.0.2.3"
TOLD = News(
    sequence=1,
    release="1.2.3",
    cps=5,
    begun=70,
    sites={"sip:a": "up", "sip:b": "down"},
    counters={"calls_shed": 2},
    observed={"setting_up": 1, "conversations": 2, "calls signed": 3},
)
ENTRIES: dict[str, str | int] = {
    "own": OWN,
    OTHER: to_text(TOLD),
    OWN: to_text(TOLD),
    SILENT: "",
}


def nodes() -> tuple[ClusterNode, ...]:
    """Three of them."""
    return cluster_nodes(ENTRIES)


def test_own_node_stands_first_and_a_silent_one_is_known_by_its_address() -> None:
    """What it had told last does not count."""
    assert [(n.address, n.is_own, n.is_heard) for n in nodes()] == [
        (OWN, True, True),
        (OTHER, False, True),
        (SILENT, False, False),
    ]


def test_text_that_cannot_be_read_is_a_silent_node() -> None:
    """As one of another release may be."""
    assert not cluster_nodes({OTHER: "x {}"})[0].is_heard


def test_numbers_of_all_that_are_heard_are_added() -> None:
    """One view of the group."""
    status = status_of_cluster(nodes())

    assert status is not None
    assert status["heard"] == 2
    assert (status["calls_per_second"], status["calls_begun"]) == (10, 140)
    assert status["calls_in_progress"] == {"setting_up": 2, "conversations": 4}
    assert (status["calls"], status["counters"]) == ({"signed": 6}, {"calls_shed": 4})
    assert [node["clearip_sites_up"] for node in status["nodes"]] == [1, 1, 0]
    assert status_of_cluster(()) is None


def test_status_prints_a_line_for_each_node() -> None:
    """And one for all together."""
    lines = cluster_lines(status_of_cluster(nodes()))

    assert lines[0].startswith("2 of 3 nodes heard, 10 calls per second, 140 begun")
    assert f"{OWN} (this one): 5 calls per second, 70 begun, 1 of 2 ClearIP sites up" in (lines[2])
    assert lines[-1] == f"{SILENT}: not heard; its numbers do not count"
    assert cluster_lines(None) == []


def test_metrics_say_which_node_is_heard() -> None:
    """For an alert."""
    text = exposition(Figures(replace(kamailio(), nodes=nodes()), observed(), ())).decode()

    assert f'inline_proxy_cluster_node_heard{{node="{OTHER}"}} 1.0' in text
    assert f'inline_proxy_cluster_node_heard{{node="{SILENT}"}} 0.0' in text
