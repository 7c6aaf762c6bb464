"""What follows ClearIP's answer to a query, or its silence."""

from collections.abc import Iterable
from dataclasses import dataclass

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.clearip import CarriedHeaders, ClearIpResponse, carried_headers, read_response
from clearip_proxy.decisions import (
    ClearIpAnswer,
    Decision,
    Noted,
    QueryClearIp,
    RelayResponse,
    Reply,
)
from clearip_proxy.destination import AskedWith, Destination, NoDestination, destination_of
from clearip_proxy.header_changes import ReceivedHeaders, header_changes
from clearip_proxy.moment import Moment
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.response_context import HeaderChanges, ResponseContext
from clearip_proxy.search import TERMINATED, Route, configured_routes, resume_search, start_search
from clearip_proxy.sip.contact import Contact
from clearip_proxy.verdict import FIRST_CLIENT_FAILURE, Verdict, verdict_of

Result = Destination | NoDestination

NOTHING_RECEIVED = ReceivedHeaders()
BEGINNING = Moment()
UNSIGNED = "unsigned_calls"
"""The counter of calls that took the default route because no ClearIP site answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What of the caller's request bears on what follows ClearIP's answer."""

    called_uri: str
    """The Request-URI that the caller sent."""
    to_uri: str = ""
    received: ReceivedHeaders = NOTHING_RECEIVED
    now: Moment = BEGINNING


@dataclass(frozen=True, slots=True)
class Answered:
    """A final response of ClearIP, and the call that it is about."""

    response: ClearIpResponse
    pending: Pending
    context: ResponseContext


def after_clearip(
    outcome: BranchOutcome, pending: Pending, context: ResponseContext, policy: RoutingPolicy
) -> Decision:
    """Decide what follows when the query to a ClearIP site has ended."""
    match outcome:
        case Canceled():
            return TERMINATED
        case NoResponse():
            return QueryClearIp(context, next_site=True)
        case response:
            answer = read_response(response, policy.headers.copied)
            return _after_answer(Answered(answer, pending, context), policy)


def after_unavailable(
    pending: Pending, context: ResponseContext, policy: RoutingPolicy, retry_after_s: int
) -> Decision:
    """Decide what follows when no ClearIP site answers.

    `retry_after_s` is in what time one may: what a caller is told who gets a 503. A call that is
    not signed on this account is counted.
    """
    if context.remaining:
        return resume_search(context, policy.search, pending.now)
    if policy.clearip.on_unavailable != "default_route" or not policy.default_route:
        return unavailable("ClearIP unavailable", ("Retry-After", str(retry_after_s)))
    routes = configured_routes(policy.default_route, pending.called_uri)
    search = start_search(routes, policy.search, pending.now)
    return Noted(("ClearIP unavailable: the call goes on unsigned",), search, UNSIGNED)


def unavailable(text: str, *others: tuple[str, str]) -> Reply:
    """A 503 of the proxy's own, with a Reason (RFC 3326) that tells it from ClearIP's."""
    reason = ("Reason", f'SIP;cause=503;text="{text}"')
    return Reply(503, "Service Unavailable", (reason, *others))


def _after_answer(answered: Answered, policy: RoutingPolicy) -> Decision:
    verdict = verdict_of(answered.response.status, policy.clearip.answers)
    step, results = _step(answered, verdict, policy)
    is_fault = verdict is Verdict.SETUP_FAULT
    is_diverted = any(each.is_diversion for each in results)
    return Noted(
        (*_notes(answered.response, verdict), *_skipped(results)),
        step,
        counted="clearip_setup_faults" if is_fault else "",
        is_fault=is_fault,
        answer=ClearIpAnswer(verdict, len(answered.response.contacts), is_diverted),
    )


def _step(
    answered: Answered, verdict: Verdict, policy: RoutingPolicy
) -> tuple[Decision, tuple[Result, ...]]:
    """Decide what follows; the second item says what each contact led to, if that counted."""
    if answered.context.remaining and verdict is not Verdict.REFUSE:
        return _after_second_answer(answered, policy), ()
    if verdict is Verdict.ROUTE:
        results = _results(answered, policy)
        return _after_redirection(answered, results, policy), results
    return _without_contacts(answered, verdict, policy), ()


def _notes(response: ClearIpResponse, verdict: Verdict) -> tuple[str, ...]:
    """Say for the log what ClearIP answered and what was wrong with it."""
    summary = (
        f"ClearIP answered {response.status} {response.reason_phrase} ({verdict}): "
        f"{len(response.contacts)} contacts, {len(response.carried.identities)} Identity"
    )
    return (summary, *response.faults)


def _after_redirection(
    answered: Answered, results: tuple[Result, ...], policy: RoutingPolicy
) -> Decision:
    """Search what the contacts lead to.

    A call that is diverted goes to the diversion host or nowhere: what else the response
    names, and the default route, would undo the screening.
    """
    is_diverted = any(each.is_diversion for each in results)
    found: dict[str, Destination] = {}  # two aliases may be the same place
    for each in results:
        if isinstance(each, Destination) and each.is_diversion == is_diverted:
            found.setdefault(each.uri, each)
    if found:
        for_most = _changes(answered, None, policy)
        routes = tuple(
            Route(uri, _changes(answered, each.contact, policy) if _embeds(each) else for_most)
            for uri, each in found.items()
        )
        asked = answered.context.clearip_uri
        return start_search(routes, policy.search, answered.pending.now, asked)
    if is_diverted:
        return unavailable("diversion host cannot be used")
    return _without_destination(answered, policy)


def _embeds(destination: Destination) -> bool:
    """Tell whether the branch to a contact gets other header fields than the others."""
    return bool(destination.contact.embedded_headers)


def _without_contacts(answered: Answered, verdict: Verdict, policy: RoutingPolicy) -> Decision:
    """Act on an answer whose contacts, if there are any, do not count."""
    choice = {
        Verdict.NO_ROUTE: policy.clearip.on_no_route,
        Verdict.SETUP_FAULT: policy.clearip.on_unavailable,
    }.get(verdict)
    if choice == "default_route" and policy.default_route:
        return _search_default_route(answered, policy)
    if answered.response.status < FIRST_CLIENT_FAILURE:
        return unavailable("no route from ClearIP")  # a redirection is never relayed
    return RelayResponse()


def _without_destination(answered: Answered, policy: RoutingPolicy) -> Decision:
    """Act on an answer that is to be followed and leads nowhere: ClearIP chose no route."""
    if answered.response.status >= FIRST_CLIENT_FAILURE:
        return _without_contacts(answered, Verdict.NO_ROUTE, policy)
    if policy.default_route:
        return _search_default_route(answered, policy)
    return unavailable("no route from ClearIP")


def _search_default_route(answered: Answered, policy: RoutingPolicy) -> Decision:
    """Search the default route with whatever header fields ClearIP returned."""
    pending = answered.pending
    changes = _changes(answered, None, policy)
    routes = configured_routes(policy.default_route, pending.called_uri, changes)
    return start_search(routes, policy.search, pending.now, answered.context.clearip_uri)


def _results(answered: Answered, policy: RoutingPolicy) -> tuple[Result, ...]:
    """Tell of every contact what it leads to."""
    asked = AskedWith(answered.context.clearip_uri, answered.pending.to_uri)
    return tuple(destination_of(each, asked, policy) for each in answered.response.contacts)


def _skipped(results: Iterable[Result]) -> tuple[str, ...]:
    return tuple(
        f"contact {each.contact.position} skipped: {each.reason}"
        for each in results
        if isinstance(each, NoDestination)
    )


def _changes(answered: Answered, contact: Contact | None, policy: RoutingPolicy) -> HeaderChanges:
    """Work out what the branch to a contact, or to a configured route, loses and gets."""
    embedded = CarriedHeaders()
    if contact is not None and contact.embedded_headers:
        embedded, _ = carried_headers(contact.embedded_headers, policy.headers.copied)
    return header_changes(
        answered.response.carried, embedded, answered.pending.received, policy.headers
    )


def _after_second_answer(answered: Answered, policy: RoutingPolicy) -> Decision:
    """Go on with the targets that are left, freshly signed where ClearIP signed again.

    Whether there are other targets by now was not the question. It stays asked: one that is
    put again and again, to a ClearIP whose clock is behind, would be a loop.
    """
    context = answered.context
    for_all = _changes(answered, None, policy)
    by_uri = {
        each.uri: _changes(answered, each.contact, policy)
        for each in _results(answered, policy)
        if isinstance(each, Destination)
    }
    renewed = tuple(
        fresh if _is_signed(fresh) else context.changes[target.changes]
        for target in context.remaining
        for fresh in [by_uri.get(target.uri, for_all)]
    )
    changes = tuple(dict.fromkeys(renewed))
    remaining = tuple(
        target._replace(changes=changes.index(own))
        for target, own in zip(context.remaining, renewed, strict=True)
    )
    context = context._replace(changes=changes, remaining=remaining)
    return resume_search(context, policy.search, answered.pending.now)


def _is_signed(changes: HeaderChanges) -> bool:
    return any(name == "Identity" for name, _ in changes.added)
