"""Every decision about a request."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from clearip_proxy.decisions import (
    AbsorbAck,
    AdmitCall,
    CancelBranches,
    CountedCall,
    Discard,
    FollowRoute,
    Fork,
    QueryClearIp,
    Reply,
    TurnAway,
)
from clearip_proxy.dialog_token import DialogKeys
from clearip_proxy.policy import ClearIpPolicy, EmergencyPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.routing import (
    ALLOW,
    NO_SUCH_DIALOG,
    OPTIONS_ANSWER,
    UNSENDABLE,
    Request,
    on_request,
)
from clearip_proxy.sources import TrustedSource, TrustedSources

KEYS = DialogKeys((b"a key",))
POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(
        TrustedSource(ip_network("10.0.0.0/8")),
        TrustedSource(ip_network("10.9.0.0/16"), "inbound switch", "inbound"),
    ),
    emergency=EmergencyPolicy(frozenset({"911"}), ("+1", "+")),
    dialog_keys=KEYS,
)
WITH_DEFAULT_ROUTE = replace(POLICY, default_route=("sip:gw1.example.net",))
INVITE = Request(
    method="INVITE",
    uri="sip:+15551234567@proxy",
    source_address="10.1.1.1",
    call_id="call-1",
    from_tag="caller",
)
STRANGER = "192.0.2.66"
LOST_ACK = Discard("ACK that cannot be sent")
INSIDE: dict[str, Any] = {
    "to_tag": "target",
    "route": f"<sip:proxy;lr=on;dialog={KEYS.token('call-1', 'caller')}>",
}
"""What makes the INVITE above a request inside a dialog."""
ASKED = ResponseContext(clearip_uri="sip:+15551234567@sip.clearip.com")


def test_initial_invite_asks_clearip_with_the_user_to_the_letter() -> None:
    """User parameters stay; the host becomes ClearIP's domain."""
    request = replace(INVITE, uri="sip:+1555;rn=+1444;npdi@proxy:5060;user=phone")

    assert on_request(request, POLICY) == QueryClearIp(
        ResponseContext(clearip_uri="sip:+1555;rn=+1444;npdi@sip.clearip.com")
    )


def test_tel_uri_asks_clearip_with_its_number() -> None:
    """A switch may send a tel URI (RFC 3966)."""
    decision = on_request(replace(INVITE, uri="tel:+15551234567"), POLICY)

    assert decision == QueryClearIp(ASKED)


@pytest.mark.parametrize(
    ("source", "host"),
    [("10.1.1.1", "outbound.sip.clearip.com"), ("10.9.1.1", "inbound.sip.clearip.com")],
)
def test_partition_is_a_label_before_the_domain(source: str, host: str) -> None:
    """A source's own partition wins over the general one."""
    policy = replace(POLICY, clearip=replace(POLICY.clearip, partition="outbound"))

    decision = on_request(replace(INVITE, source_address=source), policy)

    assert decision == QueryClearIp(ResponseContext(clearip_uri=f"sip:+15551234567@{host}"))


def test_untrusted_source_is_not_answered() -> None:
    """Not even with a refusal: a scanner learns nothing."""
    for method in ("INVITE", "OPTIONS", "REGISTER", "CANCEL"):
        request = replace(INVITE, method=method, source_address=STRANGER)
        assert on_request(request, POLICY) == TurnAway(STRANGER)


@pytest.mark.parametrize(
    ("change", "reply"),
    [
        ({"method": "OPTIONS"}, OPTIONS_ANSWER),
        ({"method": "OPTIONS", "hops_left": False}, OPTIONS_ANSWER),
        ({"method": "REGISTER"}, Reply(405, "Method Not Allowed", (("Allow", ALLOW),))),
        ({"hops_left": False}, Reply(483, "Too Many Hops")),
        ({"proxy_require": "foo"}, Reply(420, "Bad Extension", (("Unsupported", "foo"),))),
        ({"is_well_formed": False}, Reply(400, "Bad Request")),
        ({"uri": "sip:proxy"}, Reply(484, "Address Incomplete")),
        ({"uri": "http://proxy"}, Reply(416, "Unsupported URI Scheme")),
        ({"uri": "sip:1@proxy?Route=%3Csip:x%3E"}, Reply(400, "Headers in Request-URI")),
        (
            {"method": "OPTIONS", "proxy_require": "foo"},
            Reply(420, "Bad Extension", (("Unsupported", "foo"),)),
        ),
        ({"uri": "sip:no user@proxy"}, Reply(400, "Bad Request-URI")),
        ({"from_tag": ""}, Reply(400, "Missing From Tag")),
        ({**INSIDE, "hops_left": False}, Reply(483, "Too Many Hops")),
        (
            {"method": "BYE", **INSIDE, "proxy_require": "foo"},
            Reply(420, "Bad Extension", (("Unsupported", "foo"),)),
        ),
    ],
)
def test_request_that_cannot_go_on_is_answered(change: dict[str, Any], reply: Reply) -> None:
    """Each check of RFC 3261 §16.3 has its response."""
    assert on_request(replace(INVITE, **change), POLICY) == reply


LIMITED = TrustedSource(ip_network("10.7.0.0/16"), "limited", max_calls=5, id="ab12")
LIMITED_POLICY = replace(POLICY, trusted=TrustedSources(LIMITED))
FROM_LIMITED = replace(INVITE, source_address="10.7.1.1")


@pytest.mark.parametrize("limit", [{"max_cps": 1}, {"max_calls": 1}])
def test_call_of_a_limited_source_is_admitted_first(limit: dict[str, Any]) -> None:
    """Either limit alone counts."""
    source = TrustedSource(ip_network("10.7.0.0/16"), **limit)
    policy = replace(POLICY, trusted=TrustedSources(source))

    decision = on_request(FROM_LIMITED, policy)

    assert decision == AdmitCall(source, "call-1", QueryClearIp(ASKED))


def test_emergency_call_is_never_limited() -> None:
    """It is not even counted."""
    policy = replace(LIMITED_POLICY, default_route=("sip:gw1.example.net",))

    assert isinstance(on_request(replace(FROM_LIMITED, uri="sip:911@proxy"), policy), Fork)


@pytest.mark.parametrize("address", ["10.7.1.1", STRANGER])
def test_bye_ends_a_counted_call_from_either_side(address: str) -> None:
    """The token names the source that the call counts for; the sender need not be it."""
    token = KEYS.token("call-1", "caller", "ab12")
    inside: dict[str, Any] = {"to_tag": "target", "route": f"<sip:proxy;dialog={token}>"}
    request = replace(INVITE, method="BYE", source_address=address, **inside)
    call = CountedCall("ab12", "call-1")

    assert on_request(request, LIMITED_POLICY) == FollowRoute(NO_SUCH_DIALOG, UNSENDABLE, ends=call)
    unknown = Discard("ACK of an unknown dialog")
    ack = on_request(replace(request, method="ACK"), LIMITED_POLICY)
    assert ack == AbsorbAck(FollowRoute(unknown, LOST_ACK, goes_on=call))
    info = on_request(replace(request, method="INFO"), LIMITED_POLICY)
    assert info == FollowRoute(NO_SUCH_DIALOG, UNSENDABLE)


def test_ack_of_a_failure_ends_a_counted_attempt() -> None:
    """If it matches a transaction; it holds no proof, as no dialog was made."""
    request = replace(FROM_LIMITED, method="ACK", to_tag="target")

    assert on_request(request, LIMITED_POLICY) == AbsorbAck(
        Discard("ACK of an unknown dialog"), ends=CountedCall("ab12", "call-1")
    )


@pytest.mark.parametrize("call_id", ["a\r\n b", "a\x1b[2J", "a\x7f", "caf\udce9", "a\u2028b"])
def test_call_id_that_no_log_may_hold_is_refused(call_id: str) -> None:
    """Inside a dialog and outside; the log does not repeat it."""
    for method, tag in (("INVITE", ""), ("OPTIONS", ""), ("BYE", "target"), ("CANCEL", "")):
        request = replace(INVITE, method=method, to_tag=tag, call_id=call_id)
        refusal = Reply(400, "Malformed Call-ID", names_call=False)
        assert on_request(request, POLICY) == refusal
        stranger = replace(request, source_address=STRANGER)
        assert on_request(stranger, POLICY) == TurnAway(STRANGER)
    ack = on_request(replace(INVITE, method="ACK", call_id=call_id), POLICY)
    assert ack == Discard("ACK with a malformed Call-ID", names_call=False)


def test_cancel_goes_to_the_branches() -> None:
    """A CANCEL follows the INVITE that it matches."""
    decision = on_request(replace(INVITE, method="CANCEL"), POLICY)

    assert decision == CancelBranches(NO_SUCH_DIALOG)


@pytest.mark.parametrize("source", ["10.1.1.1", STRANGER])
@pytest.mark.parametrize("method", ["BYE", "INVITE", "UPDATE", "PRACK", "INFO", "REFER"])
def test_request_that_proves_its_dialog_follows_its_route(method: str, source: str) -> None:
    """From any source: targets need not be trusted to hang up."""
    request = replace(INVITE, method=method, source_address=source, **INSIDE)

    assert on_request(request, POLICY) == FollowRoute(NO_SUCH_DIALOG, UNSENDABLE)


def test_proof_is_found_where_a_strict_router_leaves_it() -> None:
    """The proxy's own Record-Route has become the Request-URI (RFC 3261 §16.4)."""
    uri = str(INSIDE["route"]).strip("<>")
    request = replace(INVITE, method="BYE", to_tag="target", uri=uri, route="<sip:target>")

    assert on_request(request, POLICY) == FollowRoute(NO_SUCH_DIALOG, UNSENDABLE)


@pytest.mark.parametrize(
    "forged",
    [
        {"route": "<sip:proxy;lr=on>"},
        {"route": ""},
        {"route": f"<sip:third.example;lr>,{INSIDE['route']}"},
        {"call_id": "call-2"},
        {"from_tag": "someone"},
    ],
)
@pytest.mark.parametrize(
    ("source", "refusal"), [("10.1.1.1", NO_SUCH_DIALOG), (STRANGER, TurnAway(STRANGER))]
)
def test_request_that_proves_no_dialog_goes_nowhere(
    forged: dict[str, str], source: str, refusal: Reply | TurnAway
) -> None:
    """A To tag and a Route of the sender's own making are worth nothing."""
    request = replace(INVITE, method="BYE", source_address=source, **{**INSIDE, **forged})

    assert on_request(request, POLICY) == refusal
    is_stranger = isinstance(refusal, TurnAway)
    assert on_request(replace(request, method="CANCEL"), POLICY) == (
        refusal if is_stranger else CancelBranches(refusal)
    )


def test_cancel_of_a_stranger_needs_the_proof_of_its_dialog() -> None:
    """It ends an offer of another session that is not answered yet; nobody else's call."""
    request = replace(INVITE, method="CANCEL", source_address=STRANGER, **INSIDE)

    assert on_request(request, POLICY) == CancelBranches(TurnAway(STRANGER))


def test_ack_that_proves_its_dialog_follows_its_route() -> None:
    """The ACK to a 2xx, from any source, unless a transaction of the proxy's awaits it."""
    request = replace(INVITE, method="ACK", source_address=STRANGER, **INSIDE)

    unknown = Discard("ACK of an unknown dialog")
    assert on_request(request, POLICY) == AbsorbAck(FollowRoute(unknown, LOST_ACK))


@pytest.mark.parametrize(
    ("change", "otherwise"),
    [
        ({**INSIDE, "hops_left": False}, Discard("ACK without hops left")),
        ({"to_tag": "target"}, Discard("ACK of an unknown dialog")),
        ({}, Discard("ACK of an unknown dialog")),
        ({"to_tag": "target", "source_address": STRANGER}, TurnAway(STRANGER)),
    ],
)
def test_ack_that_leads_nowhere_is_dropped(
    change: dict[str, Any], otherwise: Discard | TurnAway
) -> None:
    """An ACK is never answered (RFC 3261 §8.2.6.1)."""
    assert on_request(replace(INVITE, method="ACK", **change), POLICY) == AbsorbAck(otherwise)
