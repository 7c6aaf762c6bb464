"""The plain answer of ClearIP: a 302 with contacts at addresses, and PASSporTs.

It is read with what the transaction remembers of the query in front (`plain/memory.py`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from clearip_proxy.decisions import ClearIpAnswer, Fork, Noted
from clearip_proxy.moment import Moment
from clearip_proxy.plain.memory import QUERY, QUERY_READ
from clearip_proxy.plain.shapes import LINE, Shapes, names_of
from clearip_proxy.policy import SearchPolicy
from clearip_proxy.response_context import HeaderChanges, ResponseContext, Target
from clearip_proxy.sip.identity import MAX_IDENTITY_LENGTH
from clearip_proxy.verdict import Verdict

MOST_CONTACTS = 12
MOST_IDENTITIES = 8
_IDENTITY_LINE = len("Identity: \r\n")
_USER = r"[!#-+.-9;=A-~-]+"
_PORT = r"(?::[1-9][0-9]{0,4})?"
_ADDRESS = r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+"
_STATUS_LINE = r"SIP/2\.0 302 (?P<phrase>[!-~]+(?: [!-~]+)*)"
READ = (
    *QUERY_READ,
    "phrase",
    *(f"identity{number}" for number in range(MOST_IDENTITIES)),
    *(f"{part}{number}" for number in range(MOST_CONTACTS) for part in ("uri", "place", "q")),
)
"""Those of them that a pattern has, in this order."""


class PlainRedirection(NamedTuple):
    """What such an answer says."""

    reason_phrase: str
    contacts: tuple[str, ...]
    """The target set: URIs, most preferred first."""
    identities: tuple[str, ...]

    @property
    def note(self) -> str:
        """What the log says of it."""
        return note_of(*self)

    @property
    def added_bytes(self) -> int:
        """What its PASSporTs take on the wire, name, colon and line end included."""
        return added_by(self.identities)


def note_of(phrase: str, contacts: Sequence[str], identities: Sequence[str]) -> str:
    """Say for the log what ClearIP answered."""
    return (
        f"ClearIP answered 302 {phrase} (route): "
        f"{len(contacts)} contacts, {len(identities)} Identity"
    )


def added_by(identities: Sequence[str]) -> int:
    """Return what PASSporTs take on the wire, name, colon and line end included."""
    return len("".join(identities)) + len(identities) * _IDENTITY_LINE


def redirections(passed_over: frozenset[str]) -> Shapes:
    """Return the reader of plain answers, with the query that each belongs to.

    `passed_over` are the names of header fields that nothing follows from.
    """

    def pattern(lines: list[str]) -> str | None:
        fields = _fields(lines, passed_over)
        return fields and f"{QUERY}{_STATUS_LINE}\r\n{fields}\r\n"

    return Shapes(pattern, READ)


def _fields(lines: list[str], passed_over: frozenset[str]) -> str:
    """Return the pattern of the header fields; "" where one is not plain, or there are too many."""
    pattern: list[str] = []
    contacts = identities = 0
    for name, line in zip(names_of(lines), lines[1:], strict=True):
        value = LINE
        if name == "Contact":
            count = line.count(",") + 1
            numbers = range(contacts, contacts + count)
            value = " ?, ?".join(_contact(number) for number in numbers)
            contacts += count
        elif name == "Identity":
            value = _identity(identities)
            identities += 1
        elif name not in passed_over:
            return ""
        if contacts > MOST_CONTACTS or identities > MOST_IDENTITIES:
            return ""
        pattern.append(f"{re.escape(name)}: {value}\r\n")
    return "".join(pattern) if contacts else ""


def _contact(number: int) -> str:
    return (
        rf"<(?P<uri{number}>sip:{_USER}@(?P<place{number}>{_ADDRESS}{_PORT}))>"
        rf"(?:;q=(?P<q{number}>0|1|0\.[0-9]{{1,3}}|1\.0{{1,3}}))?"
    )


def _identity(number: int) -> str:
    return rf"(?P<identity{number}>[!-+\--~](?:[ -+\--~]*[!-+\--~])?)"


def target_set(
    contacts: Sequence[str], places: Mapping[str, str], to_place: str
) -> tuple[str, ...]:
    """Return the URIs, most preferred first and none twice; none unless all can be used.

    `contacts` are URI, `host:port` and preference of each in turn; `places` says of a `host:port`
    what it is called, "" where targets there are no addresses of others over UDP. None may be
    what To says.
    """
    found: list[tuple[float, int]] = []
    for index in range(0, len(contacts), 3):
        place = places[contacts[index + 1]]
        if not place or place == to_place:
            return ()
        found.append((-float(contacts[index + 2] or 1), index))
    found.sort()
    return tuple(dict.fromkeys([contacts[index] for _, index in found]))


def are_sendable(identities: Sequence[str]) -> bool:
    """Tell whether each is there once, and all together are no longer than one may be."""
    is_short = len("".join(identities)) <= MAX_IDENTITY_LENGTH
    return is_short and len(set(identities)) == len(identities)


def after_plain(
    answer: PlainRedirection, asked_with: str, policy: SearchPolicy, now: Moment
) -> Noted:
    """Decide what follows: the first contact is tried, signed."""
    fork = first_fork(answer, asked_with, policy, now)
    return Noted((answer.note,), fork, answer=ClearIpAnswer(Verdict.ROUTE, len(answer.contacts)))


def first_fork(
    answer: PlainRedirection, asked_with: str, policy: SearchPolicy, now: Moment
) -> Fork:
    """Try the first contact."""
    contacts, identities = answer.contacts, answer.identities
    context = ResponseContext(
        asked_with,
        tuple([Target(uri) for uri in contacts[1:]]),
        (HeaderChanges((), tuple([("Identity", value) for value in identities])),),
        search_ends_ms=now.monotonic_ms + policy.search_timeout_ms,
        tried=1,
    )
    return Fork(
        contacts[0],
        context,
        min(policy.no_response_timeout_ms, policy.search_timeout_ms),
        min(policy.answer_timeout_ms, policy.search_timeout_ms),
    )
