"""Answers that no sane server gives: the call ends one way or the other, and the next one works."""

import pytest

from inline_proxy.lab.answer import Answer
from sipp.clearip import ClearIp, token
from sipp.proxy import Proxy
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp

CONTACT = "[target]"
"""Stands for the Contact of a target that answers."""
ROUTED = {
    "no-phrase": Answer(302, "", (f"Contact: {CONTACT}",)),
    "phrase-of-2-kB": Answer(302, "x" * 2_000, (f"Contact: {CONTACT}",)),
    "phrase-in-latin-1": Answer(302, "D\udce9m\udce9nag\udce9", (f"Contact: {CONTACT}",)),
    "phrase-with-format": Answer(302, "%s%n$ru$(avp(s:x))", (f"Contact: {CONTACT}",)),
    "hundred-contacts": Answer(
        302, "Moved", (f"Contact: {CONTACT};q=1" + ", <sip:x@127.0.0.1:9>;q=0" * 99,)
    ),
    "thousand-commas": Answer(302, "Moved", ("Contact: " + "," * 1_000 + CONTACT,)),
    "forty-signatures": Answer(
        302, "Moved", (f"Contact: {CONTACT}", *(f"Identity: {n}.b.c" for n in range(40)))
    ),
    "four-hundred-lines": Answer(
        302, "Moved", (*(f"X-{n}: {n}" for n in range(400)), f"Contact: {CONTACT}")
    ),
    "long-line": Answer(302, "Moved", ("X-Long: " + "x" * 30_000, f"Contact: {CONTACT}")),
    "long-name": Answer(302, "Moved", ("X" * 5_000 + ": 1", f"Contact: {CONTACT}")),
    "line-without-colon": Answer(302, "Moved", ("no colon at all", f"Contact: {CONTACT}")),
    "name-with-blank": Answer(302, "Moved", ("X Y: 1", f"Contact: {CONTACT}")),
    "second-from-and-to": Answer(
        302, "Moved", ("From: <sip:evil@x>;tag=e", "To: <sip:evil@x>", f"Contact: {CONTACT}")
    ),
    "second-call-id": Answer(302, "Moved", ("Call-ID: evil", f"Contact: {CONTACT}")),
    "contact-among-folds": Answer(
        302, "Moved", (f"Contact:\r\n \r\n\t\r\n {CONTACT}\r\n\t;q\r\n =\r\n 0.5",)
    ),
    "quote-without-end-first": Answer(302, "Moved", ('Contact: "<sip:x@y>', f"m: {CONTACT}")),
    "route-and-record-route": Answer(
        302,
        "Moved",
        (
            "Record-Route: <sip:evil@127.0.0.1:9;lr>",
            "Route: <sip:evil@127.0.0.1:9;lr>",
            "Path: <sip:evil@127.0.0.1:9;lr>",
            f"Contact: {CONTACT}",
        ),
    ),
    "retry-after-and-require": Answer(
        302, "Moved", ("Retry-After: 5", "Require: evil", f"Contact: {CONTACT}")
    ),
}
ENDED = {
    "garbage-contact": (Answer(302, "Moved", ("Contact: \x01\x02<<<>>>;;;,,,\udcff",)), 503),
    "contact-of-30-kB": (Answer(302, "Moved", ("Contact: <sip:" + "x" * 30_000 + ">",)), 503),
    "nested-brackets": (Answer(302, "Moved", ("Contact: " + "<" * 1_000 + "sip:x@y",)), 503),
    "refusal-with-redirect": (Answer(603, "Decline", ("Contact: <sip:x@127.0.0.1:9>",)), 603),
    "last-code": (Answer(606, "Not Acceptable", ("Reason: SIP;cause=606",)), 606),
}


def filled(answer: Answer, target: Role) -> Answer:
    """The answer, with the target's Contact in its place."""
    headers = tuple(line.replace(CONTACT, target.at()) for line in answer.headers)
    return Answer(answer.status, answer.reason, headers)


@pytest.mark.parametrize("name", ROUTED)
def test_route_in_an_odd_answer_is_followed(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, name: str
) -> None:
    """As long as it can be read; nothing else of the answer steers the call."""
    target = sipp.play("target-200")
    clearip.answers(filled(ROUTED[name], target))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 200]
    (sent,) = caller.sent("INVITE")
    for header in ("from", "to", "call-id", "contact", "require", "path"):
        assert target.invite.headers(header) == sent.headers(header)
    assert clearip.was_asked_once()


@pytest.mark.parametrize("name", ENDED)
def test_odd_answer_without_a_route_ends_the_call_and_not_the_next(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, name: str
) -> None:
    """The caller hears what it can act on; the call after it is routed as ever."""
    answer, status = ENDED[name]
    clearip.answers(answer)

    refused = sipp.play("uac-refused", to=proxy)

    refused.wait_for(status)
    target, identity = sipp.play("target-200"), token()
    clearip.redirects_to(target.at(), identities=[identity])
    caller = sipp.play("uac-answered", to=proxy)
    assert all_succeeded(caller, target)
    assert target.invite.headers("identity") == [identity]


@pytest.mark.parametrize("status", [0, 99, 700, 999])
def test_code_that_is_none_counts_as_silence(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: int
) -> None:
    """The next site is asked; the caller never hears of it."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    clearip.answers(Answer(status, "None", (f"Contact: {target.at()}",)), at_site=1)

    caller = sipp.play("uac-answered", to=fresh_proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 200]
    assert len(clearip.received("INVITE", at_site=2)) == 1
