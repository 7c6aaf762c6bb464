"""What the benchmark makes of its runs: figures, a table, a picture."""

import xml.etree.ElementTree as ET

import pytest

from bench.clearip import CONTACT_LINES
from bench.cost import Cost
from bench.figures import Spread, percentile
from bench.growth import Point, highest_held
from bench.picture import picture
from bench.proxies import NATIVE
from bench.table import cost_table


def test_spread_shows_edges_and_middle() -> None:
    """One run that was disturbed does not move what is reported."""
    spread = Spread((0.5, 9.0, 0.6))

    assert spread.median == 0.6
    assert str(spread) == "0.500 / 0.600 / 9.000"


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 3), (99, 5), (100, 5)])
def test_percentile_is_one_of_the_values(percent: float, value: float) -> None:
    """Nothing is made up between two of them."""
    assert percentile([1, 2, 3, 4, 5], percent) == value


def test_percentile_of_nothing_is_refused() -> None:
    """A run without calls has no delay, not even none."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_table_relates_medians_to_native() -> None:
    """The ratio is what counts; absolute times are the machine's."""
    runs = Spread((1.0,))
    costs = {NATIVE: Cost(runs, runs, runs), "ours": Cost(Spread((1.1, 1.3, 1.2)), runs, runs)}

    lines = list(cost_table(costs))

    assert len(lines) == 1 + 3 * 2
    assert [line.split()[-1] for line in lines if "ours" in line] == ["1.20", "1.00", "1.00"]


@pytest.mark.parametrize(("longest", "held"), [(500, 100), (70, 50), (0, 0)])
def test_capacity_is_the_highest_rate_that_is_held_for_longer_too(longest: int, held: int) -> None:
    """Nothing was held: nothing is claimed."""
    points = (Point(50, 1, 1), Point(100, 1, 1))

    assert highest_held(points, lambda rate: rate <= longest) == held


def test_picture_holds_a_curve_for_each_proxy() -> None:
    """It is well-formed, and names are text."""
    curves = {"<ours>": (Point(50, 0.6, 1), Point(100, 0.5, 1)), NATIVE: (Point(50, 0.5, 1),)}

    drawn = ET.fromstring(picture("Cost", "calls per second", curves))  # noqa: S314 - our own

    names = "".join(text.text or "" for text in drawn.iter("{http://www.w3.org/2000/svg}text"))
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}polyline"))) == 2
    assert "<ours>, ms" in names


def test_stand_in_names_as_many_refusing_targets_as_the_number_says() -> None:
    """Native and the proxy must be asked the same."""
    for refusals, line in enumerate(CONTACT_LINES):
        assert line.count(":7003;") == refusals
        assert line.count(":7002;") == 1
