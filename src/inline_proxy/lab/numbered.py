"""The numbers of the lab's plan, and what their answers are made of."""

from dataclasses import dataclass
from typing import Final

from inline_proxy.lab.answer import Answer

FICTITIOUS_PREFIX: Final = "+14045550"
"""Numbers 404 555 0100 to 0199 belong to nobody."""

_OK_REASON: Final = 'Reason: SIP;cause=302;text="no-fraud-detected"'
IDENTITY: Final = "Identity: [identity]"


@dataclass(frozen=True, slots=True)
class Numbered:
    """One number of the plan: its last three digits, the answer's name and what it means."""

    digits: str
    name: str
    meaning: str
    answer: Answer

    @property
    def number(self) -> str:
        """A whole number to dial for it."""
        return FICTITIOUS_PREFIX + self.digits


def redirect(*headers: str) -> Answer:
    """Give a 302 with the Reason that ClearIP gives a call that it has nothing against."""
    return Answer(302, "Moved Temporarily", (*headers, _OK_REASON))


def signed(*routes: str) -> Answer:
    """Give a signed 302 with one Contact header for all routes."""
    return redirect(f"Contact: {', '.join(routes)}", IDENTITY)


def route(carrier: str, q: str = "0.99", parameters: str = "") -> str:
    """Give a Contact value for a carrier; without q when it is empty."""
    return f"<sip:[user]@[carrier:{carrier}]{parameters}>" + (f";q={q}" if q else "")


def descending(carriers: str) -> tuple[str, ...]:
    """Give routes with q as ClearIP gives it: 0.99, 0.98 and so on.

    Routes to one carrier differ by a parameter: the same URI twice is one target (RFC 3261 §16.5).
    """
    return tuple(
        route(name, f"0.{99 - place}", f";route={place + 1}" if carriers.count(name) > 1 else "")
        for place, name in enumerate(carriers)
    )


ON_A: Final = f"Contact: {route('A')}"
