"""What a person sees, on a terminal and in a file."""

import pytest

from inline_proxy.lab.ladder import draw
from inline_proxy.lab.screen import CLEAR_LINE, Screen
from unit.lab.calls import answered_call

ACTORS = ("switch", "proxy", "ClearIP", "carrier A", "carrier B")


def test_file_gets_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    """No progress, no colours, the ladder as it is."""
    screen = Screen(terminal=False, colour=False)
    ladder = draw(answered_call(), ACTORS)
    screen.progress("Starting")
    screen.line("bold", bold=True, colour="red")
    screen.ladder(ladder)

    assert capsys.readouterr().out == f"bold\n{ladder}\n"


def test_terminal_gets_progress_that_the_next_line_covers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing of it stays."""
    screen = Screen(terminal=True, colour=False)
    screen.progress("Starting")
    screen.line("done", bold=True)

    assert capsys.readouterr().out == f"{CLEAR_LINE}Starting ...{CLEAR_LINE}done\n"


def test_arrow_is_coloured_and_the_rest_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Taken away, the colours leave the ladder as it was."""
    ladder = draw(answered_call(), ACTORS)
    Screen(terminal=False, colour=True).ladder(ladder)
    redirect = capsys.readouterr().out.splitlines()[4]

    assert "│\x1b[33m<─ 302 Moved Temporarily ─\x1b[0m│" in redirect


def test_paragraph_is_wrapped_and_indented(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody reads lines of any length."""
    Screen(terminal=False, colour=False).paragraph("word " * 40)
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 3
    assert all(line.startswith("   word") and len(line) <= 88 for line in lines)


@pytest.mark.parametrize(
    ("terminal", "no_color", "colour"),
    [(True, "", True), (True, "1", False), (False, "", False)],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, no_color: str, colour: bool
) -> None:
    """NO_COLOR counts when it is not empty."""
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)

    assert Screen.of_this_process() == Screen(terminal, colour)
