"""The table of docs/clearip-leg.md: what each misbehaviour of ClearIP's costs, as tests saw it.

`PYTHONPATH=tests python -m sipp.leg_table` runs those tests and writes the table anew.
"""

import sys
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final, Self

import pytest

from inline_proxy.paths import ROOT
from sipp.leg_calls import Call

ROW: Final = "leg_table_row"
"""The property under which a test keeps its row."""
DOCUMENT: Final = ROOT / "docs" / "clearip-leg.md"
BEGIN: Final = "<!-- table: begin -->\n"
END: Final = "<!-- table: end -->\n"
HEADER: Final = (
    "| The first site … | The caller gets | INVITEs at the first | at the second | after ms |\n"
    "| --- | --- | ---: | ---: | ---: |\n"
)
EXACT_BELOW_MS: Final = 100
TESTS: Final = ("verification", "failover", "recovery", "wire")


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
    return ROW, str(Row.of(misbehaviour, call, first_site, second_site))


class Collector:
    """Collects the rows of the tests that pass."""

    def __init__(self) -> None:
        self.rows: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the row of a test that has just ended."""
        if report.when == "call" and report.passed:
            self.rows += [str(value) for name, value in report.user_properties if name == ROW]


def main() -> int:
    """Run the tests; write the table when all of them have passed."""
    collector = Collector()
    folder = Path(__file__).parent
    files = [folder / f"test_leg_{name}.py" for name in TESTS]
    arguments = ["-q", "-p", "no:cacheprovider", *(str(file) for file in files if file.exists())]
    failed = pytest.main(arguments, plugins=[collector])
    if not failed:
        write_table(DOCUMENT, collector.rows)
    return int(failed)


def write_table(document: Path, rows: list[str]) -> None:
    """Put the rows between the marks in a document, in place of those that stand there."""
    before, _, rest = document.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(before + BEGIN + HEADER + "".join(rows) + END + after)


if __name__ == "__main__":
    sys.exit(main())
