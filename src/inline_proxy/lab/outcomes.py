"""What comes of each answer in the lab, where nothing but ClearIP chooses routes."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Outcome:
    """The switch's final status, the carriers asked in order, the signatures that each gets."""

    status: int
    carriers: str = ""
    """Their letters."""
    signatures: int = 1


OUTCOMES: Final = {
    "one-route": Outcome(200, "A"),
    "two-routes": Outcome(200, "A"),
    "second-answers": Outcome(200, "CB"),
    "twelve-routes": Outcome(200, "C" * 11 + "A"),
    "equal-q": Outcome(200, "CA"),
    "no-q": Outcome(200, "CA"),
    "several-contact-headers": Outcome(200, "CA"),
    "compact-headers": Outcome(200, "A"),
    "folded-headers": Outcome(200, "CA"),
    "all-refuse": Outcome(503, "CC"),
    "busy": Outcome(486, "D"),
    "silent-first": Outcome(200, "FA"),
    "rings-first": Outcome(200, "EA"),
    "unreachable-first": Outcome(200, "A"),
    "identity-repeated": Outcome(200, "A", 2),
    "identity-joined": Outcome(200, "A", 2),
    "identity-large": Outcome(200, "A"),
    "x-identity": Outcome(200, "A"),
    "identity-in-contact": Outcome(200, "A"),
    "unsigned": Outcome(200, "A", 0),
    "identity-large-in-contact": Outcome(200, "A"),
    "hostile-contact": Outcome(200, "A"),
    "data-only": Outcome(503),
    "data-only-clearip": Outcome(503),
    "no-route-404": Outcome(404),
    "no-route-503": Outcome(503),
    "no-contact": Outcome(503),
    "malformed-contact": Outcome(503),
    "blocked": Outcome(603),
    "blocked-by-analytics": Outcome(603),
    "unwanted": Outcome(607),
    "rejected": Outcome(608),
    "captcha": Outcome(200, "G", 0),
    "unknown-source": Outcome(403),
    "too-large": Outcome(413),
    "number-incomplete": Outcome(484),
    "ringing-first": Outcome(200, "A"),
    "accepted": Outcome(502),
    "slow": Outcome(200, "A"),
    "trying-then-silence": Outcome(503),
    "silence": Outcome(503),
    "cut": Outcome(503),
    "closed": Outcome(503),
    "reset": Outcome(503),
}
"""By the answer's name in the numbering plan."""
