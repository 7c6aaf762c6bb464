"""The plain request: whatever the short way takes, the general way would decide alike."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.decisions import AbsorbAck, FollowRoute, QueryClearIp
from clearip_proxy.dialog_token import DialogKeys
from clearip_proxy.plain.request import DIALOG_READ, INVITE_READ, in_dialog, invites
from clearip_proxy.plain.rules import PlainRules
from clearip_proxy.plain.shapes import Shapes
from clearip_proxy.policy import RoutingPolicy, policy_from
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.routing import Request, on_request
from clearip_proxy.sip.message import is_framed, parse_headers
from unit.kemi.hostile_text import any_text

GOLDEN = Path(__file__).parents[1] / "operator" / "golden" / "minimal" / "proxy.json"
KEYS = DialogKeys((b"a key",))
TOKEN = KEYS.token("1-18@h", "18-1")
OF_LIMITED = KEYS.token("1-18@h", "18-1", "ab12")
INVITE = (
    "INVITE sip:+14045550199@127.0.0.1:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:6100;branch=z9hG4bK-18-1-0\r\n"
    'From: "Bob" <sip:+14045550150@127.0.0.1:6100>;tag=18-1\r\n'
    "To: <sip:+14045550199@127.0.0.1:5060>\r\n"
    "Call-ID: 1-18@h\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
    "Contact: <sip:caller@127.0.0.1:6100>\r\nContent-Length:   3\r\n\r\nv=0"
)
BYE = (
    "BYE sip:carrier@127.0.0.1:7002 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6100;branch=z9hG4bK-1\r\n"
    f"Route: <sip:127.0.0.1;lr=on;dialog={TOKEN}>\r\n"
    "From: <sip:+14045550150@127.0.0.1:6100>;tag=18-1\r\nTo: <sip:1@127.0.0.1>;tag=called\r\n"
    "Call-ID: 1-18@h\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)
ADDRESSES = {"127.0.0.1": True, "192.0.2.66": False, "192.0.2.7": True, "192.0.2.8": False}
"""Who calls: trusted, a stranger, one with a partition, one with a limit."""


def _policy() -> RoutingPolicy:
    values = json.loads(GOLDEN.read_text())
    unlimited = {"name": None, "max_cps": None, "max_calls": None}
    values["trusted"] += [
        {**unlimited, "network": "192.0.2.7/32", "partition": "acme"},
        {**unlimited, "network": "192.0.2.8/32", "partition": None, "max_calls": 3},
    ]
    values["emergency"] |= {"numbers": ["911", "112"], "prefixes": ["+1", "9"]}
    return replace(policy_from(values), dialog_keys=KEYS)


POLICY = _policy()
RULES = PlainRules(POLICY)


def _read(usual: str, raw: str, address: str) -> dict[str, str] | None:
    """Read a request of which none of its kind has been seen; None where it is not plain.

    Whoever has learnt from the usual one reads it alike.
    """
    kind, names = (invites, INVITE_READ) if usual is INVITE else (in_dialog, DIALOG_READ)
    text, fresh, learnt = _as_kamailio_says(raw, address), kind(), kind()
    assert learnt.learn(_as_kamailio_says(usual, "127.0.0.1"))
    found = _matched(fresh, names, text) if fresh.learn(text) else None
    as_learnt = _matched(learnt, names, text)
    assert as_learnt is None or as_learnt == found
    return found


def _as_kamailio_says(raw: str, address: str) -> str:
    return f"{address} {len(raw.encode(errors='replace'))} <null> {raw}"


def _matched(shapes: Shapes, names: tuple[str, ...], text: str) -> dict[str, str] | None:
    for shape in shapes.known:
        found = shape.match(text)
        if found is not None:
            values = dict(zip(names, found.group(*shape.read), strict=False))
            return {**values, "Route": "Route" if "Route" in shape.fields else ""}
    return None


called = st.sampled_from(
    [
        *["+14045550199"] * 6,
        *("14045550199", "911", "+1911", "9112", "911;phone-context=+1", "+1404;rn=+1770;npdi"),
        *("alice", "+1-404", "%39%31%31", "", "+", "*67404", "9911"),
    ]
)
in_place = st.sampled_from(
    [
        *[("", "")] * 10,
        *(("Max-Forwards: 70", "Max-Forwards: 0"), ("Max-Forwards: 70\r\n", "")),
        *(("CSeq", "Proxy-Require: x\r\nCSeq"), ("CSeq", "proxy-require: x\r\nCSeq")),
        *(("CSeq", "Route: <sip:1@h;lr>\r\nCSeq"), ("CSeq", "f: <sip:x@y>;tag=z\r\nCSeq")),
        *((";tag=18-1", ""), (";tag=18-1", ';tag="18-1"'), (";tag=18-1", ";TAG=18-1")),
        *((";tag=18-1", ";x=1;tag=18-1"), ("5060>", "5060>;tag=called"), ("1-18@h", "1 18@h")),
        *(("\r\nCSeq", "\nCSeq"), ("CSeq: ", "CSeq:"), ("CSeq", "X-Other: é\r\nCSeq")),
        *(("Call-ID: 1-18@h", "Call-ID: é"), ("sip:+", "SIP:+"), ("sip:+", "sips:+")),
        *((":5060 SIP", ":99999 SIP"), (":5060 SIP", "?X=y SIP"), ("SIP/2.0\r", "SIP/3.0\r")),
        *(
            ("Contact", "Contact: <sip:a@b>\r\nTo"),
            ('"Bob"', '"B, <sip:x@y>;tag=q"'),
            ("v=0", "\0"),
        ),
    ]
)


def _general(raw: str, address: str) -> Request:
    """Read a request as Kamailio does, independently of the short way."""
    fields = parse_headers(raw)
    method, uri, _ = raw.split(" ", 2)
    tags = [
        fields.values(name)[0].rpartition(">")[2].partition(";tag=")[2] for name in ("From", "To")
    ]
    return Request(
        method=method,
        uri=uri,
        source_address=address,
        call_id=fields.values("Call-ID")[0],
        from_tag=tags[0],
        to_tag=tags[1],
        route=next(iter(fields.values("Route")), ""),
        hops_left=int(fields.values("Max-Forwards")[0]) > 0,
        proxy_require=next(iter(fields.values("Proxy-Require")), None),
        is_well_formed=is_framed(raw),
    )


def _invite_agrees(raw: str, address: str) -> bool:
    """Tell whether an INVITE is plain; fails where the two ways differ."""
    invite = _read(INVITE, raw, address)
    domain = RULES.domains[address]
    if invite is None or not domain or invite["number"] in RULES.emergency:
        return False
    general = _general(raw, address)
    query = QueryClearIp(ResponseContext(clearip_uri=f"sip:{invite['user']}@{domain}"))
    assert on_request(general, POLICY) == query
    assert (invite["uri"], invite["call_id"]) == (general.uri, general.call_id)
    assert (invite["from_tag"], bool(invite["Route"])) == (general.from_tag, bool(general.route))
    return True


def _in_dialog_agrees(raw: str) -> bool:
    """Tell whether a request inside a dialog is plain; fails where the two ways differ."""
    request = _read(BYE, raw, "192.0.2.66")
    if request is None or not KEYS.proves(
        *(request[name] for name in ("token", "call_id", "from_tag", "to_tag"))
    ):
        return False
    decision = on_request(_general(raw, "192.0.2.66"), POLICY)
    follows = decision.otherwise if isinstance(decision, AbsorbAck) else decision
    assert isinstance(follows, FollowRoute)
    assert (follows.goes_on, follows.ends) == (None, None)
    assert isinstance(decision, AbsorbAck) == (request["method"] == "ACK")
    return True


@given(called, in_place, st.sampled_from(sorted(ADDRESSES)))
def test_plain_invite_leads_where_the_general_way_leads(
    number: str, change: tuple[str, str], address: str
) -> None:
    """Whoever calls whom, and whatever stands in the INVITE."""
    raw = INVITE.replace("sip:+14045550199@", f"sip:{number}@", 1).replace(*change, 1)

    assert not _invite_agrees(raw, address) or ADDRESSES[address]


@given(st.integers(0, len(INVITE)), st.integers(0, 3), any_text)
def test_damaged_invite_leads_where_the_general_way_leads(
    start: int, removed: int, inserted: str
) -> None:
    """Wherever a plain INVITE is damaged."""
    raw = INVITE[:start] + inserted + INVITE[start + removed :]

    assert isinstance(_invite_agrees(raw, "127.0.0.1"), bool)


@given(st.sampled_from(["ACK", "BYE"]), st.integers(0, len(BYE)), st.integers(0, 3), any_text)
def test_damaged_request_in_a_dialog_leads_where_the_general_way_leads(
    method: str, start: int, removed: int, inserted: str
) -> None:
    """Wherever a plain one is damaged."""
    raw = (BYE[:start] + inserted + BYE[start + removed :]).replace("BYE", method)

    assert isinstance(_in_dialog_agrees(raw), bool)


@pytest.mark.parametrize("address", sorted(ADDRESSES))
def test_usual_invite_is_plain(address: str) -> None:
    """From whom no limit and no mistrust keeps it."""
    assert _invite_agrees(INVITE, address) == ADDRESSES[address]


@pytest.mark.parametrize("method", ["ACK", "BYE"])
def test_usual_request_in_a_dialog_is_plain(method: str) -> None:
    """In either direction."""
    backwards = BYE.replace("tag=18-1", "tag=x").replace("tag=called", "tag=18-1")

    assert _in_dialog_agrees(BYE.replace("BYE", method))
    assert _in_dialog_agrees(backwards.replace("BYE", method))


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        (TOKEN, TOKEN[:-1] + "x"),
        (TOKEN, OF_LIMITED),
        ("18-1", "18-2"),
        ("1-18@h", "other"),
        ("Route", "X"),
    ],
)
def test_request_that_proves_nothing_is_not_plain(there: str, instead: str) -> None:
    """Nor is one that a limited source's call depends on."""
    assert not _in_dialog_agrees(BYE.replace(there, instead))


@pytest.mark.parametrize("number", ["911", "+1911", "9112"])
def test_emergency_call_is_not_plain(number: str) -> None:
    """It never goes to ClearIP."""
    assert not _invite_agrees(INVITE.replace("+14045550199@", f"{number}@"), "127.0.0.1")
