"""What the log may hold of a text: one line of printable characters, of bounded length."""

LONGEST = 4_000
"""Characters; Kamailio 5.6 prints at most 8,192 bytes, and loses a longer line as a whole."""
_HALF = LONGEST // 2


def log_line(text: str) -> str:
    """Return the text as it may stand in the log; of a longer one the beginning and the end.

    Bytes that are no UTF-8 arrive as lone surrogates, which Kamailio would not take.
    """
    short = text if len(text) <= LONGEST else f"{text[:_HALF]} ... {text[-_HALF:]}"
    if short.isprintable():
        return short
    return "".join(character if character.isprintable() else "?" for character in short)
