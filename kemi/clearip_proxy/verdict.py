"""What each final response of ClearIP means: the one table that decides it.

`docs/clearip-answers.md` shows this table; a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

FIRST_CLIENT_FAILURE = 400
FIRST_GLOBAL_FAILURE = 600


class Verdict(StrEnum):
    """What a final response of ClearIP tells the proxy to do."""

    ROUTE = "route"
    """Search the contacts; without a usable one ClearIP chose no route."""
    NO_ROUTE = "no_route"
    """Nothing to add and no route chosen: the normal "all is well"."""
    REFUSE = "refuse"
    """The call ends here: the answer is the caller's, to the letter."""
    SETUP_FAULT = "setup_fault"
    """ClearIP did not analyse the call: the set-up is at fault, and that is loud."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of the table."""

    codes: range
    verdict: Verdict
    meaning: str


def _one(code: int) -> range:
    return range(code, code + 1)


TABLE = (
    Answer(_one(302), Verdict.ROUTE, "routed, signed, verified or diverted"),
    Answer(_one(404), Verdict.NO_ROUTE, "no fraud, no route, nothing to add"),
    Answer(_one(503), Verdict.NO_ROUTE, "no fraud, no route, nothing to add"),
    Answer(_one(401), Verdict.REFUSE, "authentication, which is between ClearIP and the caller"),
    Answer(_one(407), Verdict.REFUSE, "authentication, which is between ClearIP and the caller"),
    Answer(_one(484), Verdict.REFUSE, "the number dialled has a wrong length"),
    Answer(_one(400), Verdict.SETUP_FAULT, "the message was not valid for ClearIP"),
    Answer(_one(403), Verdict.SETUP_FAULT, "address, partition or user is not provisioned"),
    Answer(_one(413), Verdict.SETUP_FAULT, "the message was too large for ClearIP"),
    Answer(_one(483), Verdict.SETUP_FAULT, "the request arrived without hops left"),
    Answer(range(300, 400), Verdict.ROUTE, "another redirection"),
    Answer(range(400, 600), Verdict.SETUP_FAULT, "another failure of the query itself"),
    Answer(range(600, 700), Verdict.REFUSE, "blocked: 603, 603 Network Blocked, 607, 608"),
)
"""The first row that holds a code counts."""

_BY_STATUS = {
    status: next(row.verdict for row in TABLE if status in row.codes) for status in range(300, 700)
}
NOTHING_SET: Mapping[int, Verdict] = MappingProxyType({})


def verdict_of(status: int, configured: Mapping[int, Verdict] = NOTHING_SET) -> Verdict:
    """Tell what a final response means; a 6xx is a refusal whatever is configured."""
    if status in configured and status < FIRST_GLOBAL_FAILURE:
        return configured[status]
    return _BY_STATUS[status]
