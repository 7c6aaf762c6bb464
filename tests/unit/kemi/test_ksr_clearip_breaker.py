"""A ClearIP site that leaves calls without an answer rests."""

import pytest

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import Reply
from clearip_proxy.ksr.sites import REST_MS
from unit.kemi.clearip_leg import (
    ANSWER,
    ASKED,
    QUERY,
    Clock,
    is_unavailable,
    leg,
)
from unit.kemi.connected_ksr import CONNECTION, SITE, connected
from unit.kemi.fake_ksr import FakeKsr


@pytest.mark.parametrize(
    ("rests_until_ms", "tries_at_ms", "told_s"),
    [(0, 0, 1), (0, 12_100, 8), (8_000, 0, 3), (8_000, 6_000, 1), (4_000, 4_500, 1)],
)
def test_caller_is_told_when_a_site_is_tried_again(
    rests_until_ms: int, tries_at_ms: int, told_s: int
) -> None:
    """Whatever comes first, in whole seconds: a rest ends, or the keeper connects."""
    ksr = connected(FakeKsr())
    ksr.open_connections.clear()
    ksr.tables["sites"] |= {f"{SITE} resting until": rests_until_ms, "tries at": tries_at_ms}

    reply = leg(ksr).query(QUERY, may_wait=False)

    assert isinstance(reply, Reply)
    assert dict(reply.headers)["Retry-After"] == str(told_s)


def test_silent_site_rests_and_is_tried_by_one_call_at_a_time() -> None:
    """Calls do not each pay the timeout; one finds out whether the site is back."""
    ksr = connected(FakeKsr())
    clock = Clock()
    proxy = leg(ksr, clock)
    for _ in range(3):
        proxy.learn(NoResponse(), ASKED)

    assert is_unavailable(proxy.query(QUERY, may_wait=False))
    clock.ms += REST_MS
    assert proxy.query(QUERY, may_wait=False) is None
    assert is_unavailable(proxy.query(QUERY, may_wait=False))
    assert any("rests: calls" in line for line in ksr.logged)


@pytest.mark.parametrize(
    "outcomes",
    [
        [NoResponse(), NoResponse(), ANSWER, NoResponse()],
        [NoResponse(), NoResponse(), Canceled()],
        [NoResponse(), NoResponse(), NoResponse(was_planted=True)],
        [NoResponse(), NoResponse(), NoResponse(), ANSWER],
    ],
)
def test_site_that_answers_does_not_rest(outcomes: list[BranchOutcome]) -> None:
    """Silences count in a row alone, and any final answer is an answer."""
    ksr = connected(FakeKsr())
    proxy = leg(ksr)
    for outcome in outcomes:
        proxy.learn(outcome, ASKED)

    assert proxy.query(QUERY, may_wait=False) is None


def test_calls_on_a_lost_connection_count_as_no_silence() -> None:
    """The keeper counts them as one: a site that has restarted under many need not rest."""
    ksr = connected(FakeKsr())
    ksr.open_connections.clear()
    proxy = leg(ksr)
    for _ in range(5):
        proxy.learn(NoResponse(), ASKED)

    ksr.open_connections.add(CONNECTION)
    assert proxy.query(QUERY, may_wait=False) is None


def test_one_call_of_many_at_once_tries_a_rested_site() -> None:
    """Two processes that look in the same moment do not both send theirs."""
    ksr = connected(FakeKsr())
    clock = Clock()
    proxy = leg(ksr, clock)
    for _ in range(3):
        proxy.learn(NoResponse(), ASKED)
    clock.ms += REST_MS
    in_the_same_moment = dict(ksr.tables["sites"])

    assert proxy.query(QUERY, may_wait=False) is None
    ksr.tables["sites"] = in_the_same_moment
    assert is_unavailable(proxy.query(QUERY, may_wait=False))


def test_outcomes_are_counted_by_address() -> None:
    """Answers by their code, silence and loss apart."""
    ksr = connected(FakeKsr())
    proxy = leg(ksr)
    for outcome in (ANSWER, ANSWER, NoResponse(), Canceled()):
        proxy.learn(outcome, ASKED)
    ksr.open_connections.clear()
    proxy.learn(NoResponse(), ASKED)

    assert ksr.tables["site_counts"] == {
        f"{SITE} 404": 2,
        f"{SITE} unanswered": 1,
        f"{SITE} lost": 1,
    }
