"""What became of a call attempt, in one word."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

FIRST_GLOBAL_FAILURE = 600


class Disposition(StrEnum):
    """What became of a call attempt."""

    SIGNED = "signed"
    """It went to a target with a PASSporT that ClearIP returned."""
    ROUTED = "routed"
    """It went where ClearIP's contacts lead, and ClearIP returned no PASSporT."""
    UNSIGNED = "unsigned"
    """It went to the default route without ClearIP's contacts or a PASSporT of ClearIP's."""
    DIVERTED = "diverted"
    """ClearIP sent it to a diversion host."""
    EMERGENCY = "emergency"
    """It never went to ClearIP."""
    BLOCKED = "blocked"
    """ClearIP refused it with a 6xx."""
    REJECTED = "rejected"
    """The caller got another refusal: of the proxy, or ClearIP's word that it has no route."""
    UNAVAILABLE = "unavailable"
    """No ClearIP site answered, or ClearIP did not analyse the call, and nothing took its place."""
    CANCELED = "canceled"
    """The caller gave up."""


def disposition_of(
    begun: Mapping[str, Any], answer: Mapping[str, Any] | None, call: Mapping[str, Any]
) -> Disposition:
    """Choose the word; `answer` is ClearIP's last one, `call` the record as far as it has come."""
    if call["canceled"]:
        return Disposition.CANCELED
    if begun.get("emergency"):
        return Disposition.EMERGENCY
    verdict = (answer or {}).get("verdict")
    if call["attempts"]:
        return _where_it_went(answer or {}, call)
    if verdict == "refuse" and (answer or {}).get("status", 0) >= FIRST_GLOBAL_FAILURE:
        return Disposition.BLOCKED
    is_unavailable = begun.get("query") and verdict in {None, "setup_fault"}
    return Disposition.UNAVAILABLE if is_unavailable else Disposition.REJECTED


def _where_it_went(answer: Mapping[str, Any], call: Mapping[str, Any]) -> Disposition:
    if answer.get("diverted"):
        return Disposition.DIVERTED
    if any(attempt["signed"] for attempt in call["attempts"]):
        return Disposition.SIGNED
    if answer.get("verdict") == "route" and answer.get("contacts"):
        return Disposition.ROUTED
    return Disposition.UNSIGNED
