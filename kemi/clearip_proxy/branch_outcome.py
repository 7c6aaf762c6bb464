"""How the branches of a transaction ended, when it was not with a 2xx."""

from dataclasses import dataclass

from clearip_proxy.sip.message import SipResponse


@dataclass(frozen=True, slots=True)
class Canceled:
    """The caller has given up meanwhile."""


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No final response came in time; the one that Kamailio shows is of its own making."""

    was_planted: bool = False
    """Whether somebody else has sent one in its place: no silence of the one who was asked."""


BranchOutcome = Canceled | NoResponse | SipResponse
