"""The demo's calls, without placing them, and its ends."""

import shutil

import pytest
from click.testing import CliRunner

from inline_proxy.lab import demo
from inline_proxy.lab.answers import named
from inline_proxy.lab.children import LabError
from inline_proxy.lab.performance import columns
from inline_proxy.lab.stage import CARRIERS
from unit.lab.calls import passage


@pytest.mark.parametrize("call", demo.CALLS, ids=lambda call: call.answer)
def test_call_of_the_demo_is_one_of_the_plan(call: demo.DemoCall) -> None:
    """Its number exists, and so do the carriers that it speaks of."""
    carriers = {f"carrier {name}" for name in CARRIERS}

    assert named(call.answer).number
    assert {*call.expected.carriers, *call.columns} <= carriers


def test_demo_shows_what_it_has_to() -> None:
    """Answered at the first target, at the second, and blocked by 603."""
    expected = [(call.expected.status, len(call.expected.carriers)) for call in demo.CALLS]

    assert {(200, 1), (200, 2), (603, 0)} <= set(expected)


def test_ladder_has_a_column_for_who_was_not_asked_and_for_strangers() -> None:
    """That nothing went to carrier B is to be seen; that something went to D as well."""
    stray = [passage(0, "proxy > carrier D", "INVITE sip:1@d")]

    assert columns(demo.CALLS[0].columns, stray) == [
        "switch",
        "proxy",
        "ClearIP",
        "carrier A",
        "carrier B",
        "carrier D",
    ]


def test_lab_that_cannot_start_says_why_and_keeps_what_was_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sentence, where to look, exit code 1."""

    def refuse(*_: object, **__: object) -> None:
        raise LabError("Port 5060 is taken.")

    monkeypatch.setattr(demo, "stage", refuse)
    result = CliRunner().invoke(demo.main)

    first, second = result.output.splitlines()
    assert result.exit_code == 1
    assert first == "Port 5060 is taken."
    directory = second.removeprefix("What everybody wrote is in ")
    shutil.rmtree(directory)  # it exists
