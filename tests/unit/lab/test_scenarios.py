"""The scenarios, their names and who plays them."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from inline_proxy.lab.sipp import SCENARIOS, Part
from inline_proxy.lab.stage import CARRIERS

FILES = sorted(SCENARIOS.glob("*.xml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario_is_named_like_its_file(path: Path) -> None:
    """SIPp's statistics show the name; a person looks for the file."""
    assert ET.parse(path).getroot().get("name") == path.stem  # noqa: S314 - our own files


def test_every_carrier_has_a_scenario_and_every_carrier_scenario_a_carrier() -> None:
    """None is missing and none is idle."""
    assert set(CARRIERS.values()) == {
        path.stem for path in FILES if path.stem.startswith("carrier-")
    }


def test_command_of_a_carrier_runs_until_it_is_ended() -> None:
    """No number of calls, a port, a trace."""
    part = Part("carrier C", "carrier-refuses", 7003, Path("/lab"))
    command = part.carrier()

    assert command[command.index("-p") + 1] == "7003"
    assert command[command.index("-message_file") + 1] == "/lab/carrier C.messages"
    assert "-m" not in command


@pytest.mark.parametrize(
    ("scenario", "tail"),
    [
        ("caller-answered", ["-m", "1", "-s", "102"]),
        ("caller-refused", ["-m", "1", "-s", "102", "-set", "status", "603"]),
    ],
)
def test_command_of_a_caller_places_one_call(scenario: str, tail: list[str]) -> None:
    """Only who expects a refusal has a status to compare with."""
    command = Part("switch", scenario, 7100, Path("/lab")).caller(5060, "102", 603)

    assert "127.0.0.1:5060" in command
    assert command[-len(tail) :] == tail
