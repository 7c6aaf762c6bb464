"""What the demo shows to a person: headings, ladders, progress; colours on a terminal only."""

import os
import sys
import textwrap
from dataclasses import dataclass
from typing import Final, Self

import click

from inline_proxy.lab.ladder import Ladder, Row, Tone

CLEAR_LINE: Final = "\r\033[K"
TEXT_WIDTH: Final = 88
INDENT: Final = "   "
COLOURS: Final = {
    Tone.REQUEST: "cyan",
    Tone.PROVISIONAL: "bright_black",
    Tone.SUCCESS: "green",
    Tone.REDIRECT: "yellow",
    Tone.REFUSAL: "red",
}


@dataclass(frozen=True, slots=True)
class Screen:
    """Standard output. `terminal`: a person watches; `colour`: colours are wanted, too."""

    terminal: bool
    colour: bool

    @classmethod
    def of_this_process(cls) -> Self:
        """Ask the process's own output; NO_COLOR (no-color.org) is obeyed."""
        terminal = sys.stdout.isatty()
        return cls(terminal, terminal and not os.environ.get("NO_COLOR"))

    def progress(self, text: str) -> None:
        """Show what takes time, on a terminal; the next line takes its place."""
        if self.terminal:
            click.echo(f"{CLEAR_LINE}{text} ...", nl=False, color=True)

    def line(self, text: str = "", *, bold: bool = False, colour: str | None = None) -> None:
        """Show a line."""
        styled = click.style(text, bold=bold, fg=colour) if bold or colour else text
        start = CLEAR_LINE if self.terminal else ""
        click.echo(f"{start}{styled if self.colour else text}", color=True)

    def paragraph(self, text: str, *, colour: str | None = None) -> None:
        """Show a text in lines of a readable length, indented."""
        for line in textwrap.wrap(
            text, TEXT_WIDTH, initial_indent=INDENT, subsequent_indent=INDENT
        ):
            self.line(line, colour=colour)

    def ladder(self, ladder: Ladder) -> None:
        """Show a call."""
        self.line(ladder.heading, bold=True)
        for row in ladder.rows:
            self.line(coloured(row) if self.colour else row.text)


def coloured(row: Row) -> str:
    """Colour the arrow of a row, by what kind of message it is."""
    arrow = click.style(row.text[row.begin : row.end], fg=COLOURS[row.tone])
    return f"{row.text[: row.begin]}{arrow}{row.text[row.end :]}"
