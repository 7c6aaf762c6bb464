"""The one table of ClearIP's answers."""

import pytest

from clearip_proxy.verdict import TABLE, Verdict, verdict_of


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (302, Verdict.ROUTE),
        (300, Verdict.ROUTE),
        (399, Verdict.ROUTE),
        (404, Verdict.NO_ROUTE),
        (503, Verdict.NO_ROUTE),
        (401, Verdict.REFUSE),
        (407, Verdict.REFUSE),
        (484, Verdict.REFUSE),
        (600, Verdict.REFUSE),
        (603, Verdict.REFUSE),
        (607, Verdict.REFUSE),
        (608, Verdict.REFUSE),
        (400, Verdict.SETUP_FAULT),
        (403, Verdict.SETUP_FAULT),
        (413, Verdict.SETUP_FAULT),
        (483, Verdict.SETUP_FAULT),
        (500, Verdict.SETUP_FAULT),
    ],
)
def test_status_has_its_verdict(status: int, verdict: Verdict) -> None:
    """What each final response means by default."""
    assert verdict_of(status) is verdict


def test_every_final_response_that_is_no_success_has_a_verdict() -> None:
    """Nothing that ClearIP may send is left undecided."""
    assert all(verdict_of(status) in Verdict for status in range(300, 700))


def test_configured_code_wins_over_the_table() -> None:
    """One place for an operator to treat a code differently."""
    assert verdict_of(403, {403: Verdict.NO_ROUTE}) is Verdict.NO_ROUTE


def test_blocked_call_stays_blocked_whatever_is_configured() -> None:
    """A 6xx is final for everybody in the path (47 CFR 64.1200)."""
    assert verdict_of(603, {603: Verdict.ROUTE}) is Verdict.REFUSE


def test_table_has_no_row_that_is_never_reached() -> None:
    """Each row decides at least one code."""
    for position, row in enumerate(TABLE):
        before = {code for earlier in TABLE[:position] for code in earlier.codes}
        assert set(row.codes) - before
