"""What a check of this host, or of the ways from it, has found."""

from typing import NamedTuple


class Finding(NamedTuple):
    """What a check has found."""

    is_well: bool
    text: str
    remedy: str = ""


def well(text: str) -> Finding:
    """Say what is as it should be."""
    return Finding(is_well=True, text=text)


def fault(text: str, remedy: str) -> Finding:
    """Say what is not, and what would help."""
    return Finding(is_well=False, text=text, remedy=remedy)
