"""The sequential search: what moves it on, and what the caller hears at its end."""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import Fork, Noted, QueryClearIp, RelayResponse, Reply
from clearip_proxy.message import SipResponse
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import FinalResponse, HeaderChanges, ResponseContext, Target
from clearip_proxy.search import (
    REDIRECTED,
    REQUEST_TIMEOUT,
    UNREACHABLE,
    Route,
    after_target,
    after_unreachable,
    awaited_branch,
    awaiting,
    resume_search,
    start_search,
    with_addresses,
)
from clearip_proxy.sources import TrustedSources

SEARCH = SearchPolicy(
    no_response_timeout_ms=4_000,
    answer_timeout_ms=60_000,
    search_timeout_ms=120_000,
    advance_on=frozenset({408, 500, 502, 503, 504}),
)
POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SEARCH,
    trusted=TrustedSources(),
)
ONE_LEFT = ResponseContext(
    remaining=(Target("sip:next@192.0.2.2"),), search_ends_ms=120_000, tried=1
)
NONE_LEFT = replace(ONE_LEFT, remaining=())


def response(status: int, **headers: str) -> SipResponse:
    """A final response of a target; `Retry_After` stands for Retry-After."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return SipResponse(headers=named, faults=(), status=status, reason_phrase="Phrase")


def test_first_target_is_tried_with_both_timers() -> None:
    """The search begins with the most preferred target and the configured timers."""
    changes = HeaderChanges(added=(("Identity", "a.b.c"),))

    routes = (Route("sip:1@a", changes), Route("sip:1@b", changes))

    step = start_search(routes, SEARCH, Moment(1_000), "sip:1@clearip")

    assert isinstance(step, Fork)
    assert step.target == "sip:1@a"
    assert (step.no_response_timeout_ms, step.answer_timeout_ms) == (4_000, 60_000)
    assert step.context == ResponseContext(
        clearip_uri="sip:1@clearip",
        remaining=(Target("sip:1@b"),),
        changes=(changes,),
        search_ends_ms=121_000,
        tried=1,
    )


@pytest.mark.parametrize("status", sorted(SEARCH.advance_on))
def test_configured_code_moves_to_the_next_target(status: int) -> None:
    """Each code of `targets.advance_on` moves the search on."""
    step = after_target(response(status), ONE_LEFT, POLICY, Moment(0))

    assert isinstance(step, Fork)
    assert step.target == "sip:next@192.0.2.2"


@pytest.mark.parametrize("status", [401, 404, 407, 480, 484, 486, 487, 501, 600, 603, 607, 608])
def test_any_other_code_goes_to_the_caller(status: int) -> None:
    """A no ends the search, however many targets are left (RFC 3261 §16.7)."""
    assert after_target(response(status), ONE_LEFT, POLICY, Moment(0)) == RelayResponse()


@pytest.mark.parametrize("outcome", [NoResponse(), response(302), response(300)])
def test_silence_or_redirection_moves_to_the_next_target(outcome: BranchOutcome) -> None:
    """A timeout moves on whatever the codes, and so does a 3xx, which is never relayed."""
    policy = replace(POLICY, search=replace(SEARCH, advance_on=frozenset()))

    assert isinstance(after_target(outcome, ONE_LEFT, policy, Moment(0)), Fork)


def test_canceled_call_is_terminated_and_tries_nothing() -> None:
    """A caller who gave up gets 487, and nobody else is rung."""
    assert after_target(Canceled(), ONE_LEFT, POLICY, Moment(0)) == Reply(487, "Request Terminated")


def test_last_target_failing_is_relayed_as_it_is() -> None:
    """At the end of the list the only failure goes to the caller untouched."""
    assert after_target(response(503), NONE_LEFT, POLICY, Moment(0)) == RelayResponse()


def test_last_target_silent_is_a_timeout_for_the_caller() -> None:
    """Kamailio's own 408 goes out when nobody ever answered."""
    assert after_target(NoResponse(), NONE_LEFT, POLICY, Moment(0)) == RelayResponse()


def test_earlier_better_response_is_sent_at_the_end() -> None:
    """A response that came beats a later timeout, with the headers worth keeping."""
    first = after_target(
        response(503, Retry_After="7", Server="secret"), ONE_LEFT, POLICY, Moment(0)
    )
    assert isinstance(first, Fork)

    last = after_target(NoResponse(), first.context, POLICY, Moment(0))

    assert last == Reply(503, "Phrase", (("Retry-After", "7"),))


def test_equal_failures_send_the_preferred_targets_response() -> None:
    """Among equals the first one wins: its target was preferred."""
    first = after_target(response(503, Reason="one"), ONE_LEFT, POLICY, Moment(0))
    assert isinstance(first, Fork)

    last = after_target(response(503, Reason="two"), first.context, POLICY, Moment(0))

    assert last == Reply(503, "Phrase", (("Reason", "one"),))


def test_lower_class_at_the_end_is_relayed() -> None:
    """RFC 3261 §16.7 step 6: the lower class is the better response."""
    first = after_target(response(503), ONE_LEFT, POLICY, Moment(0))
    assert isinstance(first, Fork)

    assert after_target(response(408), first.context, POLICY, Moment(0)) == RelayResponse()


def test_only_redirections_become_a_bad_gateway() -> None:
    """The caller never sees a 3xx, not even when there is nothing else."""
    step = after_target(response(302, Contact="<sip:evil@x>"), NONE_LEFT, POLICY, Moment(0))

    assert step == Reply(REDIRECTED.status, REDIRECTED.reason_phrase, REDIRECTED.headers)


def test_search_ends_when_its_time_is_over() -> None:
    """`search_timeout_ms` ends the search with targets left."""
    assert after_target(response(503), ONE_LEFT, POLICY, Moment(120_000)) == RelayResponse()


def test_last_attempt_gets_only_the_time_that_is_left() -> None:
    """No timer outlives the search."""
    step = after_target(response(503), ONE_LEFT, POLICY, Moment(118_500))

    assert isinstance(step, Fork)
    assert (step.no_response_timeout_ms, step.answer_timeout_ms) == (1_500, 1_500)


def test_unreachable_target_moves_to_the_next() -> None:
    """A refused connection is a failure like any other (RFC 3261 §16.9)."""
    assert isinstance(after_unreachable(ONE_LEFT, POLICY, Moment(0)), Fork)


def test_unreachable_last_target_is_never_relayed() -> None:
    """Kamailio has dropped the responses received before: the proxy sends its own."""
    step = after_unreachable(NONE_LEFT, POLICY, Moment(0))

    assert step == Reply(503, "Service Unavailable", UNREACHABLE.headers)


def test_unreachable_last_target_sends_the_best_before_it() -> None:
    """What an earlier target said is better than a connection that was refused."""
    context = NONE_LEFT.with_failure(FinalResponse(500, "Oops"))

    assert after_unreachable(context, POLICY, Moment(0)) == Reply(500, "Oops")


def test_silence_is_no_better_than_what_was_received() -> None:
    """A remembered timeout gives way to a response."""
    context = NONE_LEFT.with_failure(REQUEST_TIMEOUT).with_failure(FinalResponse(504, "Late"))

    assert context.best == FinalResponse(504, "Late")


def token(iat: int) -> str:
    """An Identity value whose PASSporT was issued at that second."""
    claims = urlsafe_b64encode(json.dumps({"iat": iat}).encode()).decode().rstrip("=")
    return f"aGVhZA.{claims}.c2ln;info=<https://x>;alg=ES256;ppt=shaken"


SIGNED_AT_1000 = replace(
    ONE_LEFT,
    clearip_uri="sip:1@clearip",
    changes=(HeaderChanges(added=(("Identity", token(1_000)),)),),
)
ASKING_AGAIN = replace(POLICY, search=replace(SEARCH, on_stale_identity="ask_again"))


def test_fresh_passport_goes_on_to_the_next_target() -> None:
    """Sixty seconds are what a verifier accepts."""
    step = after_target(response(503), SIGNED_AT_1000, ASKING_AGAIN, Moment(0, 1_060))

    assert isinstance(step, Fork)


def test_stale_passport_goes_on_with_a_note() -> None:
    """By default the call is not delayed; the log says that a strict verifier may refuse it."""
    step = after_target(response(503), SIGNED_AT_1000, POLICY, Moment(0, 1_061))

    assert isinstance(step, Noted)
    assert isinstance(step.decision, Fork)
    assert "older" in step.notes[0]


def test_stale_passport_is_asked_for_again_when_configured() -> None:
    """The targets that are left stay in the context, and so does what failed before."""
    step = after_target(response(503), SIGNED_AT_1000, ASKING_AGAIN, Moment(0, 1_061))

    assert isinstance(step, QueryClearIp)
    assert step.context.asked_again
    assert step.context.remaining == SIGNED_AT_1000.remaining
    assert step.context.best == FinalResponse(503, "Phrase")


def test_stale_passport_is_asked_for_once_only() -> None:
    """When ClearIP did not sign anew, the search goes on with what there is."""
    context = replace(SIGNED_AT_1000, asked_again=True)

    assert isinstance(after_target(response(503), context, ASKING_AGAIN, Moment(0, 1_061)), Noted)


def test_first_target_gets_a_stale_passport_as_it_came() -> None:
    """ClearIP has just signed, or passed on what it verified: asking again would not help."""
    stale = HeaderChanges(added=(("Identity", token(1_000)),))

    step = start_search((Route("sip:1@a", stale),), ASKING_AGAIN.search, Moment(0, 9_999))

    assert isinstance(step, Fork)


def test_search_without_time_is_a_timeout() -> None:
    """A search that begins at its end has nobody to ask."""
    step = resume_search(ONE_LEFT, SEARCH, Moment(120_000))

    assert step == Reply(408, "Request Timeout")


FORK = Fork(
    "sip:1@gw.test",
    ResponseContext(remaining=(Target("sip:1@other"),), search_ends_ms=9_000, tried=1),
    700,
    6_000,
)


def test_first_address_is_tried_and_the_others_stay_in_reserve() -> None:
    """Before the targets that are left, as addresses of the same target."""
    fork = with_addresses(FORK, ("sip:a", "sip:b"))

    assert fork.next_hop == "sip:a"
    assert fork.context.remaining == (
        Target("sip:1@gw.test", 0, "sip:b", is_alternate=True),
        Target("sip:1@other"),
    )


def test_addresses_never_make_more_branches_than_a_transaction_holds() -> None:
    """The targets that ClearIP named keep their places."""
    crowded = replace(FORK.context, remaining=(Target("sip:1@other"),) * 22)

    fork = with_addresses(replace(FORK, context=crowded), ("sip:a", "sip:b", "sip:c"))

    assert len(fork.context.remaining) == 23
    assert fork.context.remaining[-22:] == crowded.remaining


@pytest.mark.parametrize(
    ("outcome", "target"),
    [
        (response(503), "sip:b"),
        (NoResponse(), "sip:b"),
        (response(500), ""),
    ],
)
def test_another_address_follows_a_503_or_silence_alone(
    outcome: BranchOutcome, target: str
) -> None:
    """RFC 3263 §4.3; what has answered otherwise speaks for all its addresses."""
    context = with_addresses(FORK, ("sip:a", "sip:b")).context

    step = after_target(outcome, context, POLICY, Moment(0))

    assert isinstance(step, Fork)
    assert step.next_hop == target


def test_awaited_branch_is_taken_up_as_it_was() -> None:
    """Only the time that has passed is missing from its timers."""
    step = awaited_branch(awaiting(FORK), SEARCH, Moment(8_000))

    assert isinstance(step, Fork)
    assert (step.target, step.context) == (FORK.target, FORK.context)
    assert step.no_response_timeout_ms == 1_000


def test_awaited_branch_whose_time_is_over_is_answered() -> None:
    """The look-up took longer than the whole search may."""
    assert awaited_branch(awaiting(FORK), SEARCH, Moment(9_000)) == Reply(408, "Request Timeout")


def test_silence_while_waiting_moves_on_to_the_next_target() -> None:
    """A name server that takes longer than a target may costs that target."""
    step = after_target(NoResponse(), awaiting(FORK), POLICY, Moment(0))

    assert isinstance(step, Fork)
    assert step.target == "sip:1@other"
