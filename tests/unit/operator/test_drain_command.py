"""`inline-proxy drain`: what is waited for, and what is said."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from inline_proxy.cli import main
from inline_proxy.commands.drain import calls_up, is_empty


def status(setting_up: int | None, conversations: int | None) -> dict[str, object]:
    """What a proxy says of its calls."""
    return {"calls_in_progress": {"setting_up": setting_up, "conversations": conversations}}


@pytest.mark.parametrize(
    ("calls", "attempts_only", "is_up"),
    [
        ((0, 0), False, False),
        ((0, 2), False, True),
        ((0, 2), True, False),
        ((1, 0), True, True),
        ((None, None), True, True),
    ],
)
def test_calls_that_keep_a_node(
    calls: tuple[int | None, int | None], *, attempts_only: bool, is_up: bool
) -> None:
    """Calls nobody counts are taken to be up."""
    assert calls_up(status(*calls), attempts_only=attempts_only) is is_up


def test_waiting_ends_with_the_last_call() -> None:
    """It is asked until there is none."""
    answers = iter([status(1, 1), status(0, 1), status(0, 0)])

    assert is_empty(lambda: next(answers), None, attempts_only=False, interval_s=0)
    assert list(answers) == []


def test_waiting_ends_with_the_timeout() -> None:
    """A call that never ends holds nobody up."""
    assert not is_empty(lambda: status(0, 1), 0.0, attempts_only=False, interval_s=0)


@pytest.mark.parametrize("command", ["drain", "undrain"])
def test_proxy_that_does_not_run_is_named(command: str, tmp_path: Path) -> None:
    """With an exit code of its own."""
    result = CliRunner().invoke(main, [command, "--runtime-dir", str(tmp_path)])

    assert result.exit_code == 3
    assert str(tmp_path / "control.sock") in result.output
