"""The plan for more calls than one machine takes, held against what was measured."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from inline_proxy.paths import ROOT
from inline_proxy.scaling import MEASURED, ceilings, main, plan, table

APART_MS, TIMES_OF_SHARING = 0.628, 1.92
"""`scripts/bench --only nodes`: a call on one of two nodes that know nothing of each other, and how
many times the calls of such a node a group of two carries."""


@pytest.mark.parametrize("rate", [1_000, 10_000, 100_000])
def test_nodes_carry_the_rate_with_one_of_them_gone(rate: int) -> None:
    """And not one node more than that takes."""
    made = plan(rate)
    carried = min(made.ceilings.values())

    assert (made.nodes - 1) * carried >= rate
    assert (made.nodes - 2) * carried < rate


def test_model_agrees_with_the_measured_capacity_of_one_node() -> None:
    """At 1,500 calls per second a call took 0.69 ms of two processors, half of them the tools'."""
    at_that_rate = replace(MEASURED, processor_ms=0.69)

    assert ceilings(at_that_rate)["processors"] == pytest.approx(1_500, rel=0.05)


def test_twice_the_nodes_carry_twice_the_calls() -> None:
    """Nodes share nothing that a call waits for."""
    one = min(ceilings(MEASURED).values())
    without_spare = replace(MEASURED, spare=0)

    assert plan(int(one), without_spare).nodes == 1
    assert plan(int(2 * one), without_spare).nodes == 2


def test_model_agrees_with_what_a_group_of_two_was_measured_to_carry() -> None:
    """Beside two nodes that know nothing of each other; each with one processor."""
    of_one_core = replace(MEASURED, cores=1, use=1.0, processor_ms=APART_MS)
    alone, of_two = (ceilings(of_one_core, nodes)["processors"] for nodes in (1, 2))

    assert 2 * of_two / alone == pytest.approx(TIMES_OF_SHARING, rel=0.05)


def test_group_that_would_only_tell_itself_what_it_counts_is_refused() -> None:
    """With what to do instead."""
    said = CliRunner().invoke(main, ["--rate", "2000000"])

    assert said.exit_code == 1
    assert "nodes would do nothing but tell each other; make several groups" in said.output


@pytest.mark.parametrize(
    ("changed", "ceiling"),
    [
        ({"processor_ms": 5.0}, "processors"),
        (
            {"cores": 16, "connections": 1, "shared_memory_mb": 4096},
            "readers of ClearIP's connections",
        ),
        ({"udp_ms": 5.0}, "readers of UDP"),
        ({"setup_s": 300.0}, "shared memory"),
    ],
)
def test_first_ceiling_is_the_lowest(changed: dict[str, float], ceiling: str) -> None:
    """What ends first is named, with what one node carries by it."""
    made = plan(1_000, replace(MEASURED, **changed))  # type: ignore[arg-type]

    assert made.first_ceiling == ceiling


def test_figures_of_ones_own_are_taken() -> None:
    """Each is an option."""
    said = CliRunner().invoke(main, ["--rate", "2000", "--processor-ms", "0.5", "--cores", "4"])

    own = replace(MEASURED, processor_ms=0.5, cores=4)
    assert said.output == table([plan(2_000, own)]) + "\n"


def test_page_shows_what_the_command_prints() -> None:
    """A figure that changes here changes there."""
    page = (ROOT / "docs/scaling.md").read_text()

    assert CliRunner().invoke(main, []).output in page
