"""The table and the figures of docs/clearip-leg.md, as tests saw them.

`PYTHONPATH=tests:kemi python -m sipp.leg_table` runs those tests and writes both anew. A test whose
row is not in the table as it says fails, but for the time, which is never the same.
"""

import os
import sys
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from textwrap import fill
from typing import Final, Self

import pytest

from inline_proxy.paths import ROOT
from sipp.leg_calls import Call

ROW: Final = "leg_table_row"
"""The property under which a test keeps its row."""
FIGURE: Final = "leg_figure"
"""The property under which a test keeps a sentence with what it has measured."""
WRITES: Final = "INLINE_PROXY_LEG_TABLE"
"""Set in the environment while the table is being written, and need not be right."""
DOCUMENT: Final = ROOT / "docs" / "clearip-leg.md"
TABLE: Final = "table"
FIGURES: Final = "figures"
HEADER: Final = (
    "| The first site … | The caller gets | INVITEs at the first | at the second | after ms |\n"
    "| --- | --- | ---: | ---: | ---: |\n"
)
EXACT_BELOW_MS: Final = 100
TESTS: Final = ("verification", "failover", "recovery", "wire", "under_load")


@dataclass(frozen=True, slots=True)
class Row:
    """What one misbehaviour of the first of two sites cost one call."""

    misbehaviour: str
    caller_got: str
    first_site: int
    second_site: int
    after: str

    @classmethod
    def of(cls, misbehaviour: str, call: Call, first_site: int, second_site: int) -> Self:
        """Take down a call; how long it took is rounded, so that the table holds still."""
        got = f"{call.status} {call.final.reason_phrase}"
        reason = call.final.header("reason")
        if reason:
            got += f" ({reason.partition('text=')[2]})"
        took = call.took_ms
        after = f"< {EXACT_BELOW_MS}" if took < EXACT_BELOW_MS else f"about {round(took, -2):.0f}"
        return cls(misbehaviour, got, first_site, second_site, after)

    def __str__(self) -> str:
        return f"| {' | '.join(str(value) for value in astuple(self))} |\n"


def row(misbehaviour: str, call: Call, first_site: int, second_site: int) -> tuple[str, str]:
    """Give the property that takes a call down: what the first site did, and the INVITEs."""
    seen = Row.of(misbehaviour, call, first_site, second_site)
    if WRITES not in os.environ:
        assert is_documented(seen), f"{DOCUMENT.name} has another row than {seen}"
    return ROW, str(seen)


def is_documented(seen: Row) -> bool:
    """Tell whether the table has a row, whatever the time in it."""
    untimed = str(replace(seen, after="")).removesuffix("  |\n")
    return any(line.startswith(untimed) for line in DOCUMENT.read_text().splitlines())


class Collector:
    """Collects the rows and the figures of the tests that pass."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.figures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test has kept that has just ended."""
        if report.when == "call" and report.passed:
            self.rows += [str(value) for name, value in report.user_properties if name == ROW]
            self.figures += [
                fill(f"- {value}", 100, subsequent_indent="  ") + "\n"
                for name, value in report.user_properties
                if name == FIGURE
            ]


def main() -> int:
    """Run the tests, the long ones; write the table when all of them have passed."""
    collector = Collector()
    os.environ[WRITES] = "yes"
    folder = Path(__file__).parent
    files = [folder / f"test_leg_{name}.py" for name in TESTS]
    arguments = ["-q", "-p", "no:cacheprovider", "--long", *map(str, files)]
    failed = pytest.main(arguments, plugins=[collector])
    if not failed:
        write_between(DOCUMENT, TABLE, HEADER + "".join(collector.rows))
        write_between(DOCUMENT, FIGURES, "".join(collector.figures))
    return int(failed)


def write_between(document: Path, name: str, text: str) -> None:
    """Put a text between the marks of a name in a document, in place of what stands there."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, _, rest = document.read_text().partition(begin)
    _, _, after = rest.partition(end)
    document.write_text(before + begin + text + end + after)


if __name__ == "__main__":
    sys.exit(main())
