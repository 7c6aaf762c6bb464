"""Bad values of every key, and the exact sentence for each kind of mistake."""

from pathlib import Path

import pytest

from unit.config.reading import faults_of


def refused() -> list[tuple[str, str]]:
    """The cases of `refused.txt`: a configuration and its one fault."""
    text = Path(__file__).with_name("refused.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(case, fault.strip()) for case, fault in zip(lines[::2], lines[1::2], strict=True)]


@pytest.mark.parametrize(("text", "fault"), refused())
def test_bad_value_is_refused_with_path_value_and_what_is_allowed(text: str, fault: str) -> None:
    """One mistake makes exactly one fault."""
    assert faults_of(text) == [fault]


def test_all_faults_are_named_in_one_go_in_the_order_of_the_file() -> None:
    """Whoever repairs a file sees everything at once, line by line."""
    text = """\
admin:
  listen: nowhere
listen:
  udp: 70000
  upd: 5060
clearip:
  sites:
    - {port: 5061}
    - host: a.example
      port: x
  on_no_route: default_route
trusted: [10.0.0.1/8, 10.0.0.0/8, switch]
"""

    faults = faults_of(text)

    assert [fault.partition(": ")[0] for fault in faults] == [
        "admin.listen",
        "listen.udp",
        "listen.upd",
        "clearip.sites[0].host",
        "clearip.sites[1].port",
        "clearip.on_no_route",
        "trusted[0]",
        "trusted[2]",
    ]


def test_entries_of_one_line_are_named_in_their_order() -> None:
    """The tenth entry comes after the second."""
    numbers = ", ".join(["x"] * 11)

    faults = faults_of(f"emergency: {{numbers: [{numbers}]}}")

    assert [fault.partition(":")[0] for fault in faults] == [
        f"emergency.numbers[{index}]" for index in range(11)
    ]
