"""The tables of `docs/clearip-answers.md`: what follows each answer, and each Contact.

`PYTHONPATH=kemi python3 -m inline_proxy.answers_reference` prints them. Nothing in them is
written by hand: the proxy's own functions decide about answers made for the purpose.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from typing import Any, Final

from clearip_proxy.answering import Pending, after_clearip, after_unavailable
from clearip_proxy.branch_outcome import BranchOutcome, NoResponse
from clearip_proxy.clearip_reply import TRYING, as_bad_gateway, taken_as
from clearip_proxy.decisions import Decision, Fork, Noted, QueryClearIp, RelayResponse, Reply
from clearip_proxy.policy import RoutingPolicy, policy_from
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sip.message import parse_response
from clearip_proxy.verdict import TABLE, Answer, Verdict
from inline_proxy.config import parse_config
from inline_proxy.listeners import Listener
from inline_proxy.routing_policy import policy_values

_CONTACT: Final = "sip:+15551234567@carrier.example.net"
_DIVERSION: Final = "sip:+15551234567@captcha.clearip.com"
_DEFAULT_ROUTE: Final = "sip:+15551234567@gateway.example.net"
_SEARCHES: Final = {
    _CONTACT: "contacts",
    _DIVERSION: "diversion host",
    _DEFAULT_ROUTE: "default route",
}
_ROUTE: Final = {"default_route": ["sip:gateway.example.net"]}
_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "no `default_route`": {},
    "`default_route` given": _ROUTE,
    "… and `on_no_route: default_route`": {**_ROUTE, "clearip": {"on_no_route": "default_route"}},
    "… and `on_unavailable: default_route`": {
        **_ROUTE,
        "clearip": {"on_unavailable": "default_route"},
    },
}
_CONTACTS: Final = {
    "with a usable Contact": f"Contact: <{_CONTACT}>\r\n",
    "with a Contact at a diversion host": f"Contact: <{_CONTACT}>, <{_DIVERSION}>;q=0.5\r\n",
    "without a usable Contact": "Contact: <sip:+15551234567@sip.clearip.com>\r\n",
}
_NO_ANSWERS: Final = {
    range(101, 200): "ringing, at a server that rings nobody",
    range(200, 300): "accepted, by a server that carries no calls",
}
_LISTENER: Final = Listener("udp", ip_address("192.0.2.1"), 5060)
_EXAMPLES: Final = {
    "a real destination, kept to the letter": "sip:4711+15551234567@192.0.2.20;transport=tcp",
    "with embedded headers, which are cut off": "sips:+15551234567@192.0.2.21?Identity=e30.e30.eA",
    "user parameters go along": "sip:+15551234567;rn=+14045550100;npdi@carrier.example.net",
    "a host name that has an alias": "sip:+15551234567@tg-west",
    "a trunk group that has an alias": "sip:+15551234567;tgrp=TG-West@sip.clearip.com",
    "a host parameter that has an alias": "sip:+15551234567@sip.clearip.com;dtg=tg-west",
    "a tel URI whose trunk group has an alias": "tel:+15551234567;tgrp=tg-west",
    "a diversion host": "sip:+15551234567@captcha.clearip.com",
    "ClearIP's domain": "sip:+15551234567@outbound.sip.clearip.com",
    "another domain of ClearIP's": "sip:+15551234567@clearip.com:5060",
    "the To URI": "sip:+15551234567@switch.example.net;user=phone",
    "the proxy": "sip:+15551234567@192.0.2.1:5060",
    "an alias that leads to the proxy": "sip:+15551234567@tg-loop",
    "a tel URI": "tel:+15551234567",
    "a transport that the proxy lacks": "sip:+15551234567@192.0.2.20;transport=ws",
    "no SIP URI": "https://carrier.example.net/",
}
_ALIASES: Final = {"tg-west": "sip:192.0.2.50;transport=tcp", "tg-loop": "sip:192.0.2.1"}
_ASKED: Final = ResponseContext(clearip_uri="sip:+15551234567@sip.clearip.com")
_PENDING: Final = Pending(
    called_uri="sip:+15551234567@192.0.2.1", to_uri="sip:+15551234567@switch.example.net"
)

Policies = tuple[RoutingPolicy, ...]
Follows = Callable[[RoutingPolicy], Decision]


def tables() -> str:
    """Return the tables, in Markdown."""
    return "\n".join((*_by_code(), "", *_by_verdict(), "", *_by_contact()))


def _by_code() -> Iterator[str]:
    """What every code leads to, as long as `clearip.answers` says nothing of it."""
    policies = _policies({})
    yield from _head_with_settings("ClearIP answers", "which means", "verdict")
    for row in TABLE:
        decided = _decided_by(row)
        meaning = (row.meaning, f"`{row.verdict}`")
        yield from _rows(_named(decided, row), decided, meaning, policies)
    for codes, means in _NO_ANSWERS.items():
        name = f"{codes[0]} to {codes[-1]}"
        yield _row(name, means, "", *(_for_no_answer(codes, policy) for policy in policies))
    for name, meaning_of, follows in (
        ("nothing in time", "this site is not there", _after(NoResponse())),
        ("nothing, at any site", "ClearIP is not there", _after_silence),
    ):
        yield _row(name, meaning_of, "", *(_text(follows(policy)) for policy in policies))


def _for_no_answer(codes: range, policy: RoutingPolicy) -> str:
    """What follows a response by which a redirect server does what it should not."""
    [counts_as] = {taken_as(code) for code in codes}
    if counts_as == TRYING:
        return f"counts as {TRYING}"
    made = parse_response(as_bad_gateway("SIP/2.0 200 OK\r\n\r\n"))
    return _text(_after(made)(policy)).replace("relayed", f"{made.status} of the proxy's")


def _by_verdict() -> Iterator[str]:
    """What every verdict of `clearip.answers` leads to, for the codes that it may be given to."""
    yield from _head_with_settings("verdict", "for the codes")
    for verdict in Verdict:
        for codes in (range(300, 400), range(400, 600)):
            policies = _policies(dict.fromkeys(codes, verdict))
            yield from _rows(f"`{verdict}`", codes, (f"{codes[0]} to {codes[-1]}",), policies)


def _by_contact() -> Iterator[str]:
    """What single contacts lead to, with an alias for `tg-west`."""
    policy = _policy({"targets": {"aliases": _ALIASES}}, {})
    yield from _head("Contact", "is", "the proxy sends the INVITE to, or says in its log")
    for what, uri in _EXAMPLES.items():
        answer = parse_response(f"SIP/2.0 302 Phrase\r\nContact: <{uri}>\r\n\r\n")
        yield _row(f"`<{uri}>`", what, _destination(_after(answer)(policy)))


def _destination(decision: Decision) -> str:
    match decision:
        case Noted(decision=Fork() as fork):
            return f"`{fork.target}`"
        case Noted(notes=(_, reason)):
            return reason
        case other:
            raise ValueError(other)


def _head_with_settings(*columns: str) -> tuple[str, str]:
    return _head(*columns, *_SETTINGS)


def _head(*columns: str) -> tuple[str, str]:
    return _row(*columns), _row(*("---" for _ in columns))


def _rows(
    name: str, codes: Iterable[int], facts: tuple[str, ...], policies: Policies
) -> Iterator[str]:
    """One row where the Contact makes no difference, else one for each kind of Contact."""
    cells = {
        contacts: tuple(_common_text(codes, headers, policy) for policy in policies)
        for contacts, headers in _CONTACTS.items()
    }
    if len(set(cells.values())) == 1:
        yield _row(name, *facts, *next(iter(cells.values())))
        return
    for contacts, texts in cells.items():
        yield _row(f"{name} {contacts}", *facts, *texts)


def _common_text(codes: Iterable[int], headers: str, policy: RoutingPolicy) -> str:
    """What follows all of the codes; raises `ValueError` if they differ."""
    answers = (parse_response(f"SIP/2.0 {code} Phrase\r\n{headers}\r\n") for code in codes)
    [text] = {_text(_after(answer)(policy)) for answer in answers}
    return text


def _after(outcome: BranchOutcome) -> Follows:
    return lambda policy: after_clearip(outcome, _PENDING, _ASKED, policy)


def _after_silence(policy: RoutingPolicy) -> Decision:
    return after_unavailable(_PENDING, _ASKED, policy, retry_after_s=1)


def _text(decision: Decision) -> str:
    """Say in a few words what a decision is; every kind of them that can follow is here."""
    match decision:
        case Noted():
            return _text(decision.decision) + (" (alarm)" if decision.is_fault else "")
        case RelayResponse():
            return "relayed"
        case Fork():
            targets = (decision.target, *(target.uri for target in decision.context.remaining))
            return ", then ".join(_SEARCHES[target] for target in targets)
        case QueryClearIp():
            return "next site"
        case Reply():
            reason = dict(decision.headers)["Reason"]
            return f"{decision.status}, {reason.partition('text=')[2]}"
        case other:
            raise ValueError(other)


def _policies(answers: dict[int, Verdict]) -> Policies:
    """The policy of every setting, read as the proxy reads it."""
    return tuple(_policy(setting, answers) for setting in _SETTINGS.values())


def _policy(setting: dict[str, Any], answers: dict[int, Verdict]) -> RoutingPolicy:
    clearip = {**setting.get("clearip", {}), "answers": answers}
    config = parse_config(json.dumps({**setting, "clearip": clearip}))  # JSON is YAML
    return policy_from(json.loads(json.dumps(policy_values(config, (_LISTENER,)))))


def _decided_by(row: Answer) -> tuple[int, ...]:
    """The codes for which the row is the first that holds them."""
    before = TABLE[: TABLE.index(row)]
    return tuple(code for code in row.codes if not any(code in other.codes for other in before))


def _named(decided: tuple[int, ...], row: Answer) -> str:
    if len(row.codes) == 1:
        return str(row.codes[0])
    others = "" if len(decided) == len(row.codes) else "other "
    return f"{others}{row.codes[0]} to {row.codes[-1]}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(tables() + "\n")
