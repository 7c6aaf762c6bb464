"""What became of a call attempt, in one word."""

from enum import StrEnum

from inline_proxy.observation.call_set_up import SetUp

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


def disposition_of(told: SetUp) -> Disposition:
    """Choose the word for a call attempt, as far as it has come."""
    if told.is_canceled:
        return Disposition.CANCELED
    if told.is_emergency:
        return Disposition.EMERGENCY
    if told.attempts:
        is_routed = told.verdict == "route" and bool(told.contacts)
        return where_it_went(
            is_diverted=told.is_diverted, is_signed=told.is_signed, is_routed=is_routed
        )
    if told.verdict == "refuse" and (told.clearip_status or 0) >= FIRST_GLOBAL_FAILURE:
        return Disposition.BLOCKED
    is_unavailable = told.is_asked and told.verdict in {None, "setup_fault"}
    return Disposition.UNAVAILABLE if is_unavailable else Disposition.REJECTED


def where_it_went(*, is_diverted: bool, is_signed: bool, is_routed: bool) -> Disposition:
    """Choose the word for a call attempt that was sent to a target."""
    if is_diverted:
        return Disposition.DIVERTED
    if is_signed:
        return Disposition.SIGNED
    return Disposition.ROUTED if is_routed else Disposition.UNSIGNED
