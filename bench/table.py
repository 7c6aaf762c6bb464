"""What was measured as lines for a terminal: the proxy, native, and what one makes of the other."""

from collections.abc import Iterator, Mapping

from bench.cost import Cost
from bench.figures import Spread
from bench.proxies import NATIVE

COLUMNS = "{:<34}{:<10}{:>25}{:>10}"


def cost_table(costs: Mapping[str, Cost]) -> Iterator[str]:
    """Yield a line for each proxy and quantity."""
    yield COLUMNS.format("", "", "min / median / max", "ratio")
    quantities = {
        "processor time per call, ms": "cpu_ms",
        "INVITE under way, median, ms": "delay_median_ms",
        "INVITE under way, 99 %, ms": "delay_99_ms",
    }
    for title, field in quantities.items():
        native: Spread = getattr(costs[NATIVE], field)
        for name, cost in costs.items():
            spread: Spread = getattr(cost, field)
            ratio = "" if name == NATIVE else f"{spread.median / native.median:.2f}"
            yield COLUMNS.format(title, name, str(spread), ratio)
