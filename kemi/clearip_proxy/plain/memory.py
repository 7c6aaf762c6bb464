"""What a transaction remembers of a plain call: a line of text, in place of a response context.

It is the same knowledge, put so that the answer's pattern reads it along with the answer. Whoever
does not take the short way gets the response context that it stands for.
"""

from collections.abc import Sequence

from clearip_proxy.response_context import HeaderChanges, ResponseContext, Target
from clearip_proxy.sites.site_lines import Line

_ASKED, _TRIED = "Q ", "T "
QUERY = (
    rf"{_ASKED}(?P<asked_with>[^ ]+) (?P<hop>[^ ]+) [0-9]+ (?P<transaction>[0-9:]+) "
    r"(?P<size>[0-9]+) (?P<to_place>[^ ]+) (?P<token>[^ ]+) (?P<call>[^ ]*) (?P<call_id>[^ \n]+)\n"
)
"""The pattern of a query that waits for ClearIP's answer."""
QUERY_READ = (
    *("asked_with", "hop", "transaction", "size", "to_place", "token", "call", "call_id"),
)


def asked_text(asked_with: str, line: Line, transaction: str, rest: str) -> str:
    """Remember a query; `rest` are the last values of `QUERY_READ`."""
    return f"{_ASKED}{asked_with} {line.hop} {line.connection} {transaction} {rest}"


def is_asked(text: str) -> bool:
    """Tell whether a text begins with such a memory."""
    return text.startswith(_ASKED)


def tried_text(
    asked_with: str, search_ends_ms: int, remaining: Sequence[str], identities: Sequence[str]
) -> str:
    """Remember a first target that is being tried, with those after it."""
    return "\n".join(
        (f"{_TRIED}{asked_with} {search_ends_ms} {len(remaining)}", *remaining, *identities)
    )


def context_of(text: str) -> ResponseContext:
    """Return the response context that a transaction's text stands for."""
    if text.startswith(_ASKED):
        asked_with, hop, connection, transaction, *_ = text[len(_ASKED) :].split(" ")
        return ResponseContext(
            asked_with, asked=(hop,), connection=int(connection), transaction=transaction
        )
    if text.startswith(_TRIED):
        return _tried(text)
    return ResponseContext.from_text(text)


def _tried(text: str) -> ResponseContext:
    first, *lines = text[len(_TRIED) :].split("\n")
    asked_with, search_ends_ms, count = first.split(" ")
    remaining, identities = lines[: int(count)], lines[int(count) :]
    return ResponseContext(
        asked_with,
        tuple(Target(uri) for uri in remaining),
        (HeaderChanges((), tuple(("Identity", value) for value in identities)),),
        search_ends_ms=int(search_ends_ms),
        tried=1,
    )
