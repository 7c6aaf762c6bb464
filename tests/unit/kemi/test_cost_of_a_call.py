"""What an answered call may take: a budget that fails when somebody exceeds it.

Each call into Kamailio costs a microsecond or more, each instruction of Python a fraction of one;
`docs/performance.md` says what that makes. Whoever needs more raises the budget, and says why.
"""

from pathlib import Path

import pytest

from unit.kemi.answered_call import AnsweredCall, Taken

BUDGET = {
    "INVITE": Taken(17, 740),
    "302": Taken(2, 50),  # the connection it came on: nobody else may route a call
    "search": Taken(14, 825),
    "503": Taken(20, 2_650),
    "200": Taken(1, 155),
    "ACK": Taken(6, 290),
    "BYE": Taken(5, 370),
}


@pytest.mark.parametrize("callback", sorted(BUDGET))
def test_callback_stays_within_its_budget(callback: str, tmp_path: Path) -> None:
    """Calls into Kamailio to the letter; instructions differ between releases of Python."""
    taken = AnsweredCall(tmp_path).take()[callback]

    assert taken.ksr_calls <= BUDGET[callback].ksr_calls
    assert taken.instructions <= BUDGET[callback].instructions


def test_every_callback_has_a_budget(tmp_path: Path) -> None:
    """None is forgotten, and none does nothing at all."""
    taken = AnsweredCall(tmp_path).take()

    assert taken.keys() == BUDGET.keys()
    assert all(each.ksr_calls and each.instructions for each in taken.values())
