"""Playing answers by name, without placing a call."""

import shutil

import pytest
from click.testing import CliRunner

from inline_proxy.lab import play
from inline_proxy.lab.answers import PLAN
from inline_proxy.lab.children import LabError
from inline_proxy.lab.expectations import Expected, faults_of_outcome
from inline_proxy.lab.outcomes import OUTCOMES
from inline_proxy.lab.stage import CARRIERS
from unit.lab.calls import answered_call, passage


def test_every_answer_of_the_plan_has_its_outcome() -> None:
    """In the plan's order, and with carriers that there are."""
    assert list(OUTCOMES) == [entry.name for entry in PLAN]
    assert all(set(outcome.carriers) <= set(CARRIERS) for outcome in OUTCOMES.values())


def test_answers_are_listed_when_none_is_named() -> None:
    """A line for each: name and meaning."""
    result = CliRunner().invoke(play.main)

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == [entry.name for entry in PLAN]
    assert all(line.endswith(entry.meaning) for line, entry in zip(lines, PLAN, strict=True))


def test_unknown_name_is_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the names that are wrong."""
    monkeypatch.delattr(play, "stage")

    result = CliRunner().invoke(play.main, ["blocked", "bloked"])

    assert result.exit_code == 2
    assert "no answer has the name bloked" in result.output


def test_lab_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, where to look, exit code 1."""

    def refuse(*_: object, **__: object) -> None:
        raise LabError("Port 5060 is taken.")

    monkeypatch.setattr(play, "stage", refuse)
    result = CliRunner().invoke(play.main, ["blocked"])

    first, second = result.output.splitlines()
    assert result.exit_code == 1
    assert first == "Port 5060 is taken."
    shutil.rmtree(second.removeprefix("What everybody wrote is in "))  # it exists


@pytest.mark.parametrize(("signatures", "is_right"), [(0, False), (1, True), (2, False)])
def test_number_of_signatures_is_judged(signatures: int, *, is_right: bool) -> None:
    """Wherever ClearIP has put them."""
    call = answered_call()
    carriers = ("carrier A", "carrier B")

    wrong = list(faults_of_outcome(call, Expected(200, carriers), signatures))

    assert (wrong == []) is is_right


def test_switch_that_waits_without_end_is_seen() -> None:
    """What ClearIP or a carrier never answers is a part of some answers."""
    waiting = [
        passage(0, "switch > proxy", "INVITE sip:1@d"),
        passage(1, "proxy > ClearIP", "INVITE sip:1@d"),
    ]

    assert list(play._never_ended(waiting)) == ["Never ended: INVITE sip:1@d SIP/2.0"]  # noqa: SLF001
