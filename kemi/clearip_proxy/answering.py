"""What follows ClearIP's answer to a query, or its silence."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.clearip import CarriedHeaders, ClearIpResponse, carried_headers, read_response
from clearip_proxy.contact import Contact
from clearip_proxy.decisions import Decision, Noted, QueryClearIp, RelayResponse, Reply
from clearip_proxy.destination import AskedWith, Destination, NoDestination, destination_of
from clearip_proxy.header_changes import ReceivedHeaders, header_changes
from clearip_proxy.moment import Moment
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.response_context import HeaderChanges, ResponseContext
from clearip_proxy.search import TERMINATED, Route, configured_routes, resume_search, start_search
from clearip_proxy.verdict import Verdict, verdict_of

NOTHING_RECEIVED = ReceivedHeaders()
BEGINNING = Moment()


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
    pending: Pending, context: ResponseContext, policy: RoutingPolicy
) -> Decision:
    """Decide what follows when no ClearIP site answers."""
    if context.remaining:
        return resume_search(context, policy.search, pending.now)
    if policy.clearip.on_unavailable != "default_route" or not policy.default_route:
        return unavailable("ClearIP unavailable")
    routes = configured_routes(policy.default_route, pending.called_uri)
    return start_search(routes, policy.search, pending.now)


def unavailable(text: str) -> Reply:
    """A 503 of the proxy's own, with a Reason (RFC 3326) that tells it from ClearIP's."""
    return Reply(503, "Service Unavailable", (("Reason", f'SIP;cause=503;text="{text}"'),))


def _after_answer(answered: Answered, policy: RoutingPolicy) -> Decision:
    response = answered.response
    verdict = verdict_of(response.status, policy.clearip.answers)
    if answered.context.remaining and verdict is not Verdict.REFUSE:
        return Noted(_notes(response, verdict), _after_second_answer(answered, policy))
    if verdict is not Verdict.ROUTE:
        step = _without_contacts(answered, verdict, policy)
        is_fault = verdict is Verdict.SETUP_FAULT
        return Noted(
            _notes(response, verdict),
            step,
            counted="clearip_setup_faults" if is_fault else "",
            is_fault=is_fault,
        )
    destinations, skipped = _destinations(answered, policy)
    notes = (*_notes(response, verdict), *skipped)
    if not destinations:
        return Noted(notes, _without_destination(answered, policy))
    routes = tuple(
        Route(destination.uri, _changes(answered, destination.contact, policy))
        for destination in destinations
    )
    asked = answered.context.clearip_uri
    return Noted(notes, start_search(routes, policy.search, answered.pending.now, asked))


def _notes(response: ClearIpResponse, verdict: Verdict) -> tuple[str, ...]:
    """Say for the log what ClearIP answered and what was wrong with it."""
    summary = (
        f"ClearIP answered {response.status} {response.reason_phrase} ({verdict}): "
        f"{len(response.contacts)} contacts, {len(response.carried.identities)} Identity"
    )
    return (summary, *response.faults)


def _without_contacts(answered: Answered, verdict: Verdict, policy: RoutingPolicy) -> Decision:
    """Act on an answer that is no redirection."""
    choice = {
        Verdict.NO_ROUTE: policy.clearip.on_no_route,
        Verdict.SETUP_FAULT: policy.clearip.on_unavailable,
    }.get(verdict)
    if choice == "default_route" and policy.default_route:
        return _search_default_route(answered, policy)
    return RelayResponse()


def _without_destination(answered: Answered, policy: RoutingPolicy) -> Decision:
    """Act on a redirection that redirects nowhere: it is never relayed."""
    if policy.default_route:
        return _search_default_route(answered, policy)
    return unavailable("no route from ClearIP")


def _search_default_route(answered: Answered, policy: RoutingPolicy) -> Decision:
    """Search the default route with whatever header fields ClearIP returned."""
    pending = answered.pending
    changes = _changes(answered, None, policy)
    routes = configured_routes(policy.default_route, pending.called_uri, changes)
    return start_search(routes, policy.search, pending.now)


def _destinations(
    answered: Answered, policy: RoutingPolicy
) -> tuple[list[Destination], tuple[str, ...]]:
    """Sort the contacts out; the second item says which were skipped and why.

    A call that is diverted goes to the diversion host or nowhere: what else the response
    names, and the default route, would undo the screening.
    """
    asked = AskedWith(answered.context.clearip_uri, answered.pending.to_uri)
    results = [destination_of(each, asked, policy) for each in answered.response.contacts]
    found = [each for each in results if isinstance(each, Destination)]
    diversions = [each for each in found if each.is_diversion]
    return diversions or found, _skipped(results)


def _skipped(results: Iterable[Destination | NoDestination]) -> tuple[str, ...]:
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
    """Go on with the targets that are left, freshly signed if ClearIP signed again."""
    context = answered.context
    if answered.response.carried.identities:
        fresh = _changes(answered, None, policy)
        remaining = tuple(replace(target, changes=0) for target in context.remaining)
        context = replace(context, changes=(fresh,), remaining=remaining, asked_again=False)
    return resume_search(context, policy.search, answered.pending.now)
