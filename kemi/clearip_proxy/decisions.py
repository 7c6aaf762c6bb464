"""What the proxy can decide to do with a request, as values. The gateway carries them out."""

from dataclasses import dataclass
from typing import NamedTuple

from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sources import TrustedSource
from clearip_proxy.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Discard:
    """Do nothing: no response, no branch."""

    reason: str
    names_call: bool = True
    """False when its Call-ID may not stand in the log."""


@dataclass(frozen=True, slots=True)
class TurnAway:
    """Give a stranger no answer: nothing over UDP, the end of a connection that it has opened."""

    address: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Send a final response of the proxy's own."""

    status: int
    reason_phrase: str
    headers: tuple[tuple[str, str], ...] = ()
    """(name, value), in order."""
    names_call: bool = True
    """False when its Call-ID may not stand in the log."""


@dataclass(frozen=True, slots=True)
class UnlessDraining:
    """Say how the node is: the operator may have told it that calls are to go elsewhere."""

    reply: Reply
    draining: Reply


@dataclass(frozen=True, slots=True)
class RelayResponse:
    """Let the received final response go to the caller as it is."""


@dataclass(frozen=True, slots=True)
class CancelBranches:
    """Pass a CANCEL on to every branch of the INVITE that it matches."""

    otherwise: "Reply | TurnAway"
    """What follows when it matches none."""


@dataclass(frozen=True, slots=True)
class CountedCall:
    """A call that counts for a source with a limit."""

    source_id: str
    call_id: str


@dataclass(frozen=True, slots=True)
class FollowRoute:
    """Forward a request that is proven to be inside a dialog along its route set (§16.4)."""

    otherwise: Reply | Discard
    """What follows when it has no route."""
    unsendable: Reply | Discard
    """What follows when it cannot be sent."""
    goes_on: CountedCall | None = None
    """The call that the request is a sign of life of."""
    ends: CountedCall | None = None
    """The call that the request is the end of."""


@dataclass(frozen=True, slots=True)
class AbsorbAck:
    """End an ACK to a response of the proxy's own, which belongs to its transaction (§17.1.1.3)."""

    otherwise: "FollowRoute | Discard | TurnAway"
    """What follows when it matches none: the ACK to a 2xx is a request inside the dialog."""
    ends: CountedCall | None = None
    """The call attempt that has failed when it matches one."""


class QueryClearIp(NamedTuple):
    """Ask a ClearIP site: the most preferred one, or the next one after those asked."""

    context: ResponseContext
    next_site: bool = False


@dataclass(frozen=True, slots=True)
class AdmitCall:
    """Query ClearIP for a call if its source may begin one more."""

    source: TrustedSource
    call_id: str
    query: QueryClearIp


class Fork(NamedTuple):
    """Try one target (one step of the sequential search, RFC 3261 §16.6)."""

    target: str
    """The Request-URI."""
    context: ResponseContext
    no_response_timeout_ms: int
    answer_timeout_ms: int
    next_hop: str = ""
    """The URI of the address to send to; empty when the Request-URI says it."""
    was_asked: bool = False
    """Whether everything that can be found out about it has been asked for."""


class ClearIpAnswer(NamedTuple):
    """What is kept in mind of an answer of ClearIP's besides what follows from it."""

    verdict: Verdict
    contacts: int
    is_diverted: bool = False
    """Whether it sends the call to a diversion host."""


class Noted(NamedTuple):
    """Log what led to a decision, then carry it out."""

    notes: tuple[str, ...]
    decision: "Decision"
    counted: str = ""
    """The counter that goes up; empty for none."""
    is_fault: bool = False
    """Whether an operator must act on it."""
    answer: ClearIpAnswer | None = None
    """The answer of ClearIP's that the decision follows."""


Decision = (
    Discard
    | TurnAway
    | Reply
    | UnlessDraining
    | RelayResponse
    | CancelBranches
    | AbsorbAck
    | FollowRoute
    | AdmitCall
    | QueryClearIp
    | Fork
    | Noted
)
