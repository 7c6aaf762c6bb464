"""The sequential search: what moves it on, and what the caller hears at its end."""

from dataclasses import replace

import pytest

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import Fork, RelayResponse, Reply
from clearip_proxy.moment import Moment
from clearip_proxy.response_context import (
    FinalResponse,
    HeaderChanges,
    ResponseContext,
    Target,
)
from clearip_proxy.search import (
    REDIRECTED,
    REQUEST_TIMEOUT,
    SHORTEST_BRANCH_MS,
    UNREACHABLE,
    Route,
    after_target,
    after_unreachable,
    resume_search,
    start_search,
)
from unit.kemi.search_values import NONE_LEFT, ONE_LEFT, POLICY, SEARCH, response


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


@pytest.mark.parametrize("now_ms", [120_000 - SHORTEST_BRANCH_MS + 1, 120_000])
def test_search_ends_when_its_time_is_over(now_ms: int) -> None:
    """`search_timeout_ms` ends the search with targets left, also where tm's timer was early."""
    assert after_target(response(503), ONE_LEFT, POLICY, Moment(now_ms)) == RelayResponse()


def test_target_is_tried_while_there_is_time_for_it() -> None:
    """A branch of two of tm's ticks can still be answered."""
    now = Moment(120_000 - SHORTEST_BRANCH_MS)

    assert isinstance(after_target(response(503), ONE_LEFT, POLICY, now), Fork)


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


def test_search_without_time_is_a_timeout() -> None:
    """A search that begins at its end has nobody to ask."""
    step = resume_search(ONE_LEFT, SEARCH, Moment(120_000))

    assert step == Reply(408, "Request Timeout")
