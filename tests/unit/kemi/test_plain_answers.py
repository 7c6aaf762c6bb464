"""The plain answer of ClearIP: whatever the short way takes, the general way would decide alike."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.answering import Pending, after_clearip
from clearip_proxy.moment import Moment
from clearip_proxy.plain.memory import QUERY_READ
from clearip_proxy.plain.redirection import (
    PlainRedirection,
    after_plain,
    are_sendable,
    redirections,
    target_set,
)
from clearip_proxy.plain.request import invites
from clearip_proxy.plain.rules import PlainRules
from clearip_proxy.plain.shapes import Shapes
from clearip_proxy.sip.message import parse_response
from clearip_proxy.verdict import Verdict
from unit.kemi.answer_values import ASKED, POLICY
from unit.kemi.hostile_text import any_text
from unit.kemi.test_plain_requests import INVITE

FIRST_IDENTITY = len(QUERY_READ) + 1
"""Behind what the query remembers, and the phrase."""
OWN = "198.51.100.1:5060"
POLICIES = [
    replace(POLICY, own=frozenset({OWN})),
    replace(POLICY, clearip=replace(POLICY.clearip, sites=("sip:192.0.2.1:5061;transport=tls",))),
    replace(POLICY, clearip=replace(POLICY.clearip, diversion_hosts=frozenset({"192.0.2.2"}))),
    replace(POLICY, clearip=replace(POLICY.clearip, to_uri_is_route=True)),
]
RULES = [PlainRules(policy) for policy in POLICIES]
NOW = Moment(1_000, 1_700_000_000)
TO_URIS = ["sip:+15551234567@192.0.2.1", "sip:+15551234567@192.0.2.2:5060;user=phone", "sip:x"]
PLAIN = (
    "SIP/2.0 302 Moved Temporarily\r\nVia: SIP/2.0/TLS h;branch=z9hG4bKa\r\n"
    "Contact: <sip:+15551234567@203.0.113.1:7002>;q=0.5, <sip:+1555;rn=+1404@203.0.113.2>\r\n"
    "Identity: a.b.c;info=<https://x>\r\nServer: x\r\nContent-Length: 0\r\n\r\n"
)


def mostly(usual: list[str], odd: list[str]) -> st.SearchStrategy[str]:
    """Return texts that are odd once in a while: one odd part is enough to leave the short way."""
    return st.integers(0, 15).flatmap(lambda n: st.sampled_from(odd if n == 0 else usual))


users = mostly(
    ["+15551234567", "+1555;rn=+1404;npdi", "a%41", "%2b15551234567"], ["a,b", "a?b", ""]
)
hosts = mostly(
    ["203.0.113.7", "192.0.2.2", "192.0.2.1"],
    ["198.51.100.1", "224.0.0.1", "999.1.1.1", "192.0.02.1", "sip.clearip.com", "carrier.example"],
)
ports = mostly(["", ":5060", ":5061", ":7002"], [":05060", ":99999", ":0"])
parameters = mostly([""], [";transport=udp", ";user=phone", "?X=y"])
preferences = mostly(["", ";q=0.9", ";q=0.90", ";q=1", ";q=0", ";q=1.000"], [";Q=0.1", ";q=.5"])
contacts = st.builds(
    "{}<sip:{}@{}{}{}>{}".format,
    *(mostly(["", " "], ['"A, B" ']), users, hosts, ports, parameters, preferences),
)
contact_lines = st.lists(contacts, min_size=1, max_size=3).map(
    lambda each: "Contact: " + ",".join(each)
)
identities = ["Identity: a.b.c;info=<https://x>", "Identity: d.e.f"]
other_lines = mostly(
    ["Via: SIP/2.0/TLS h;branch=z9hG4bKa", "Server: x", "Content-Length: 0", *identities],
    [
        *("Identity: a.b, c.d", "Identity:", "Identity: é", "X-Identity: a.b.c", "y: a.b.c"),
        *("P-Asserted-Identity: <sip:a@b>", "identity: a.b.c", "m: <sip:a@203.0.113.9>"),
        *(" folded", "Date: é", "Reason: a\tb", "no colon", "Contact:"),
    ],
)
phrases = mostly(["302 Moved Temporarily"], ["302 ", "302", "302 a  b", "300 Many", "404 No"])
lines = st.lists(contact_lines | other_lines, min_size=1, max_size=5)
ends = mostly(["\r\n\r\n"], ["\r\n\r\nContact: <sip:b@203.0.113.8>\r\n", "\r\n", ""])
answers = st.builds(
    lambda phrase, held, end: "\r\n".join([f"SIP/2.0 {phrase}", *held]) + end, phrases, lines, ends
)


def _place_of(to_uri: str) -> str:
    """Return what an INVITE to there is remembered by; "" where it is not plain."""
    raw = INVITE.replace("To: <sip:+14045550199@127.0.0.1:5060>", f"To: <{to_uri}>")
    text = f"127.0.0.1 {len(raw)} <null> {raw}"
    shapes = invites()
    assert shapes.learn(text)
    (shape,) = shapes.known
    found = shape.match(text)
    return found["to_place"] or "" if found else ""


def _plain(raw: str, to_uri: str, number: int) -> PlainRedirection | None:
    """Read an answer of a kind that was never seen; None where it is not plain.

    Whoever has learnt from the usual one reads it alike.
    """
    fresh, learnt = (redirections(RULES[number].passed_over) for _ in range(2))
    learnt.learn(_with_query(PLAIN, to_uri))
    text = _with_query(raw, to_uri)
    found = _matched(fresh, text, to_uri, number) if fresh.learn(text) else None
    as_learnt = _matched(learnt, text, to_uri, number)
    assert as_learnt is None or as_learnt == found
    return found


def _with_query(raw: str, to_uri: str) -> str:
    return f"Q {ASKED.clearip_uri} sip:h 7 1:2 400 {_place_of(to_uri)} abc  1-18@h\n{raw}"


def _matched(shapes: Shapes, text: str, to_uri: str, number: int) -> PlainRedirection | None:
    for shape in shapes.known:
        found = shape.match(text)
        if found is None:
            continue
        values = found.group(*shape.read)
        first = FIRST_IDENTITY + shape.fields["Identity"]
        identities = values[FIRST_IDENTITY:first]
        targets = target_set(values[first:], RULES[number].places, _place_of(to_uri))
        if targets and are_sendable(identities):
            return PlainRedirection(values[len(QUERY_READ)], targets, identities)
    return None


def _agrees(raw: str, to_uri: str, number: int) -> bool:
    """Tell whether the answer is plain; fails where the two ways differ."""
    policy = POLICIES[number]
    plain = _plain(raw, to_uri, number) if _place_of(to_uri) else None
    if plain is None:
        return False
    decided = after_plain(plain, ASKED.clearip_uri, policy.search, NOW)
    pending = Pending(called_uri=ASKED.clearip_uri, to_uri=to_uri, now=NOW)
    assert decided == after_clearip(parse_response(raw), pending, ASKED, policy)
    return True


@given(answers, st.sampled_from(TO_URIS), st.integers(0, len(POLICIES) - 1))
def test_plain_answer_leads_where_the_general_way_leads(raw: str, to_uri: str, number: int) -> None:
    """To the same target, with the same header fields, and the same in reserve."""
    assert isinstance(_agrees(raw, to_uri, number), bool)


@given(st.integers(0, len(PLAIN)), st.integers(0, 3), any_text)
def test_damaged_answer_leads_where_the_general_way_leads(
    start: int, removed: int, inserted: str
) -> None:
    """Wherever a plain answer is damaged."""
    raw = PLAIN[:start] + inserted + PLAIN[start + removed :]

    assert isinstance(_agrees(raw, TO_URIS[0], 0), bool)


def test_usual_answer_is_plain() -> None:
    """Or the short way would be for nobody."""
    assert _agrees(PLAIN, TO_URIS[0], 0)


@pytest.mark.parametrize("contact", [f"sip:1@{OWN}", "sip:1@carrier.example", "sips:1@192.0.2.7"])
def test_contact_that_needs_a_second_look_is_not_plain(contact: str) -> None:
    """The proxy itself, a name that the DNS must be asked about, another transport."""
    raw = PLAIN.replace("sip:+15551234567@203.0.113.1:7002", contact)

    assert not _agrees(raw, TO_URIS[0], 0)


def test_configured_verdict_leaves_answers_to_the_general_way() -> None:
    """An operator may say that a 302 means something else."""
    answers = {302: Verdict.NO_ROUTE}
    policy = replace(POLICY, clearip=replace(POLICY.clearip, answers=answers))

    assert RULES[0].follows_answers
    assert not PlainRules(policy).follows_answers
