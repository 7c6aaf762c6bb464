"""What must be true of a call of the demo, judged by the messages alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from typing import Final

from inline_proxy.lab.passage import PROXY, Passage

FOR_CLEARIP: Final = frozenset({"INVITE", "ACK", "CANCEL"})


@dataclass(frozen=True, slots=True)
class Expected:
    """How a call must go: the switch's final status, and the carriers asked, in order."""

    status: int
    carriers: tuple[str, ...]


def faults(passages: Sequence[Passage], expected: Expected) -> Iterator[str]:
    """Yield a sentence for everything that did not go as it must; the passages are one call's."""
    yield from _final_status(passages, expected.status)
    yield from _carriers(passages, expected.carriers)
    yield from _query(passages)
    yield from _signatures(passages)


def faults_of_outcome(
    passages: Sequence[Passage], expected: Expected, signatures: int
) -> Iterator[str]:
    """Yield a sentence for everything that went otherwise; for any answer that ClearIP can give.

    Every INVITE to a carrier has this number of signatures, from wherever ClearIP put them.
    """
    yield from _final_status(passages, expected.status)
    yield from _carriers(passages, expected.carriers)
    yield from _query(passages)
    for attempt in filter(_is_attempt, passages):
        carried = len(attempt.message.headers("identity"))
        if carried != signatures:
            yield f"The INVITE to {attempt.receiver} carries {carried} Identity, not {signatures}."


def open_requests(passages: Sequence[Passage]) -> list[Passage]:
    """Give the requests without a final response and the INVITEs whose response has no ACK.

    Empty once the call is over for everybody.
    """
    requests = [each for each in passages if each.message.is_request]
    finals = [each for each in passages if each.message.status >= HTTPStatus.OK]
    acknowledged = {
        (each.sender, each.receiver) for each in requests if each.message.method == "ACK"
    }
    return [
        request
        for request in requests
        if request.message.method != "ACK"
        and (
            not any(_answers(final, request) for final in finals)
            or (
                request.message.method == "INVITE"
                and (request.sender, request.receiver) not in acknowledged
            )
        )
    ]


def _answers(response: Passage, request: Passage) -> bool:
    """Whether a response belongs to a request (RFC 3261 §17.1.3)."""
    return (response.sender, response.receiver) == (request.receiver, request.sender) and (
        response.message.branch,
        response.message.method,
    ) == (request.message.branch, request.message.method)


def _final_status(passages: Iterable[Passage], status: int) -> Iterator[str]:
    """The switch got the final status, and no redirect on the way."""
    got = [
        each.message.status
        for each in passages
        if each.receiver == "switch" and each.message.method == "INVITE"
    ]
    finals = [code for code in got if code >= HTTPStatus.OK]
    if not finals or finals[-1] != status:
        yield f"The switch got {finals[-1] if finals else 'no answer'} instead of {status}."
    if any(code // 100 == 3 for code in got):  # noqa: PLR2004 - the class of redirects
        yield "A redirect reached the switch."


def _carriers(passages: Iterable[Passage], carriers: tuple[str, ...]) -> Iterator[str]:
    """The carriers were asked one after the other, and no other one."""
    invites = [each for each in passages if _is_attempt(each)]
    branches = groupby(invites, key=lambda each: (each.receiver, each.message.branch))
    asked = tuple(receiver for (receiver, _branch), _transmissions in branches)
    if asked != carriers:
        yield f"Asked were {_list(asked)} instead of {_list(carriers)}."


def _query(passages: Iterable[Passage]) -> Iterator[str]:
    """ClearIP got one INVITE, and nothing that belongs into a dialog."""
    methods = [
        each.message.method
        for each in passages
        if each.receiver == "ClearIP" and each.message.is_request
    ]
    if methods.count("INVITE") != 1:
        yield f"ClearIP was asked {methods.count('INVITE')} times instead of once."
    if strange := sorted(set(methods) - FOR_CLEARIP):
        yield f"ClearIP got {_list(strange)}, which is not for it."


def _signatures(passages: Sequence[Passage]) -> Iterator[str]:
    """Every attempt carries the Identity that ClearIP gave, unchanged and once."""
    given = [
        value
        for each in passages
        if each.sender == "ClearIP" and each.message.status
        for value in each.message.headers("identity")
    ]
    for attempt in filter(_is_attempt, passages):
        carried = attempt.message.headers("identity")
        if carried != given:
            yield (
                f"The INVITE to {attempt.receiver} carries {len(carried)} Identity headers, "
                f"which are not the {len(given)} that ClearIP gave."
            )


def _is_attempt(passage: Passage) -> bool:
    """Whether this is an INVITE from the proxy to a carrier."""
    return (
        passage.sender == PROXY
        and passage.receiver not in {"ClearIP", "switch"}
        and passage.message.is_request
        and passage.message.method == "INVITE"
    )


def _list(words: Iterable[str]) -> str:
    """Give words for a sentence."""
    return ", ".join(words) or "none"
