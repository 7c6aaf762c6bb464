"""Lines of the log: printable, and of bounded length."""

import pytest

from clearip_proxy.log_line import LONGEST, log_line


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        ("target 1: sip:1@gw", "target 1: sip:1@gw"),
        ("café", "café"),
        ("one\r\ntwo", "one??two"),
        ("\x1b[31mred", "?[31mred"),
        ("caf\udce9", "caf?"),
    ],
)
def test_unprintable_characters_are_replaced(text: str, logged: str) -> None:
    """No message can begin a line of its own, or change the colours of a terminal."""
    assert log_line(text) == logged


def test_long_text_keeps_its_beginning_and_its_end() -> None:
    """The end of a traceback says what went wrong."""
    logged = log_line("begin" + "x" * LONGEST + "end")

    assert logged.startswith("beginx")
    assert logged.endswith("xend")
    assert len(logged) <= LONGEST + len(" ... ")
