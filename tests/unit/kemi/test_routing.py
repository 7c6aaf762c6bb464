"""Every decision about a request and about ClearIP's answer."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.decisions import (
    CancelBranches,
    Decision,
    Discard,
    FollowRoute,
    Fork,
    Noted,
    QueryClearIp,
    RelayResponse,
    Reply,
)
from clearip_proxy.message import SipResponse, parse_response
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy, TrustedSource
from clearip_proxy.response_context import HeaderChanges, ResponseContext
from clearip_proxy.routing import (
    ALLOW,
    Pending,
    Request,
    after_clearip,
    after_unavailable,
    on_request,
)

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=(
        TrustedSource(ip_network("10.0.0.0/8")),
        TrustedSource(ip_network("10.9.0.0/16"), "inbound switch", "inbound"),
    ),
    emergency_numbers=frozenset({"911"}),
    copied_headers=("Identity", "P-Asserted-Identity"),
)
WITH_DEFAULT_ROUTE = replace(
    POLICY,
    clearip=replace(POLICY.clearip, on_no_route="default_route", on_unavailable="default_route"),
    default_route=("sip:gw1.example.net", "sips:fixed@gw2.example.net"),
)
INVITE = Request(method="INVITE", uri="sip:+15551234567@proxy", source_address="10.1.1.1")
ASKED = ResponseContext(clearip_uri="sip:+15551234567@sip.clearip.com")
PENDING = Pending(called_uri="sip:+15551234567;npdi@proxy", now_ms=1_000)


def step_after(
    outcome: BranchOutcome, policy: RoutingPolicy = POLICY, pending: Pending = PENDING
) -> Decision:
    """What follows ClearIP's answer, without what is logged of it."""
    decision = after_clearip(outcome, pending, ASKED, policy)
    return decision.step if isinstance(decision, Noted) else decision


def response(status: int, *headers: str) -> SipResponse:
    """A final response of ClearIP."""
    return parse_response("\r\n".join((f"SIP/2.0 {status} Phrase", *headers, "", "")))


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
        request = replace(INVITE, method=method, source_address="192.0.2.66")
        assert isinstance(on_request(request, POLICY), Discard)


@pytest.mark.parametrize(
    ("change", "reply"),
    [
        ({"method": "OPTIONS"}, Reply(200, "OK", (("Allow", ALLOW),))),
        ({"method": "OPTIONS", "hops_left": False}, Reply(200, "OK", (("Allow", ALLOW),))),
        ({"method": "REGISTER"}, Reply(405, "Method Not Allowed", (("Allow", ALLOW),))),
        ({"hops_left": False}, Reply(483, "Too Many Hops")),
        ({"proxy_require": "foo"}, Reply(420, "Bad Extension", (("Unsupported", "foo"),))),
        ({"is_well_formed": False}, Reply(400, "Bad Request")),
        ({"uri": "sip:proxy"}, Reply(484, "Address Incomplete")),
        ({"uri": "http://proxy"}, Reply(400, "Bad Request-URI")),
        ({"has_to_tag": True, "hops_left": False}, Reply(483, "Too Many Hops")),
        (
            {"method": "BYE", "has_to_tag": True, "proxy_require": "foo"},
            Reply(420, "Bad Extension", (("Unsupported", "foo"),)),
        ),
    ],
)
def test_request_that_cannot_go_on_is_answered(change: dict[str, object], reply: Reply) -> None:
    """Each check of RFC 3261 §16.3 has its response."""
    assert on_request(replace(INVITE, **change), POLICY) == reply  # type: ignore[arg-type]


def test_cancel_goes_to_the_branches() -> None:
    """A CANCEL follows the INVITE that it matches."""
    assert on_request(replace(INVITE, method="CANCEL"), POLICY) == CancelBranches()


@pytest.mark.parametrize("method", ["BYE", "INVITE", "UPDATE", "PRACK", "INFO", "REFER", "ACK"])
def test_request_in_a_dialog_follows_its_route(method: str) -> None:
    """From any source: targets need not be trusted to hang up."""
    request = replace(INVITE, method=method, has_to_tag=True, source_address="192.0.2.66")

    assert on_request(request, POLICY) == FollowRoute(method)


def test_ack_without_hops_left_is_dropped() -> None:
    """An ACK is never answered (RFC 3261 §8.2.6.1)."""
    request = replace(INVITE, method="ACK", has_to_tag=True, hops_left=False)

    assert isinstance(on_request(request, POLICY), Discard)


@pytest.mark.parametrize("uri", ["sip:911@proxy", "tel:9-1-1", "sip:911;phone-context=x@proxy"])
def test_emergency_number_never_asks_clearip(uri: str) -> None:
    """The configured route is tried at once, however the number is written."""
    policy = replace(POLICY, emergency_route=("sip:psap.example.net",))

    decision = on_request(replace(INVITE, uri=uri), policy)

    assert isinstance(decision, Fork)
    assert decision.target.endswith("@psap.example.net")
    assert decision.target.startswith("sip:9")


def test_emergency_number_without_route_of_its_own_takes_the_default_route() -> None:
    """`emergency.route` empty means the default route."""
    decision = on_request(replace(INVITE, uri="sip:911@proxy"), WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:911@gw1.example.net"


def test_emergency_number_without_any_route_is_refused_at_once() -> None:
    """The switch must be able to go another way without delay."""
    decision = on_request(replace(INVITE, uri="sip:911@proxy"), POLICY)

    assert isinstance(decision, Reply)
    assert decision.status == 503


def test_redirect_forks_to_the_highest_q_first() -> None:
    """The target set is searched in q order, with what ClearIP returned."""
    answer = response(
        302,
        "Contact: <sip:1@192.0.2.1>;q=0.1, <sip:1@192.0.2.2;transport=tcp>;q=0.9",
        "Identity: a.b.c;ppt=shaken",
        'P-Asserted-Identity: "[V] NAME" <sip:1@x>',
    )

    decision = step_after(answer)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:1@192.0.2.2;transport=tcp"
    assert decision.context.remaining == ("sip:1@192.0.2.1",)
    assert decision.context.search_ends_ms == 121_000
    assert decision.context.changes == HeaderChanges(
        removed=("P-Asserted-Identity",),
        added=(
            ("P-Asserted-Identity", '"[V] NAME" <sip:1@x>'),
            ("Identity", "a.b.c;ppt=shaken"),
        ),
    )


def test_received_identity_of_another_ppt_stays_before_clearips() -> None:
    """RFC 8946: a diverted call keeps the original PASSporT beside the new one."""
    pending = replace(PENDING, received_identities=("o.l.d;ppt=shaken", "d.i.v;ppt=div"))
    answer = response(302, "Contact: <sip:1@192.0.2.1>", "Identity: n.e.w;ppt=shaken")

    decision = step_after(answer, pending=pending)

    assert isinstance(decision, Fork)
    assert decision.context.changes == HeaderChanges(
        removed=("Identity",),
        added=(("Identity", "d.i.v;ppt=div"), ("Identity", "n.e.w;ppt=shaken")),
    )


def test_redirect_without_identity_leaves_the_received_ones_alone() -> None:
    """Nothing is removed that nothing replaces."""
    pending = replace(PENDING, received_identities=("o.l.d;ppt=shaken",))

    decision = step_after(response(302, "Contact: <sip:1@a>"), pending=pending)

    assert isinstance(decision, Fork)
    assert decision.context.changes == HeaderChanges()


@pytest.mark.parametrize(
    "headers", [(), ("Contact: <sip:1@sip.clearip.com>;q=0.99",), ("Contact: garbage",)]
)
def test_redirect_without_usable_contact_searches_the_default_route(
    headers: tuple[str, ...],
) -> None:
    """A data-only 302 brings headers and no route; the default route gets them."""
    answer = response(302, *headers, "Identity: a.b.c")

    decision = step_after(answer, WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:+15551234567;npdi@gw1.example.net"
    assert decision.context.remaining == ("sips:fixed@gw2.example.net",)
    assert decision.context.changes.added == (("Identity", "a.b.c"),)


def test_redirect_without_usable_contact_and_default_route_is_a_503_of_our_own() -> None:
    """The Reason says why; the 302 is never relayed."""
    decision = step_after(response(302))

    assert isinstance(decision, Reply)
    assert decision.status == 503
    assert decision.headers == (("Reason", 'SIP;cause=503;text="no route from ClearIP"'),)


@pytest.mark.parametrize("status", [401, 403, 404, 407, 484, 500, 503, 603, 607, 608])
def test_final_answer_is_relayed_by_default(status: int) -> None:
    """Without a default route every refusal is the switch's to handle."""
    assert step_after(response(status)) == RelayResponse()


@pytest.mark.parametrize("status", [404, 503, 403, 400, 413, 483, 500])
def test_no_route_and_setup_fault_search_the_default_route_when_configured(status: int) -> None:
    """ClearIP did not stop the call, so it goes on with what ClearIP returned."""
    answer = response(status, "Identity: a.b.c")

    decision = step_after(answer, WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert decision.context.changes.added == (("Identity", "a.b.c"),)


@pytest.mark.parametrize("status", [401, 407, 484, 600, 603, 607, 608])
def test_refusal_is_relayed_whatever_is_configured(status: int) -> None:
    """A blocked call is never tried another way."""
    answer = step_after(response(status), WITH_DEFAULT_ROUTE)

    assert answer == RelayResponse()


def test_canceled_call_is_terminated_whatever_clearip_answers() -> None:
    """A late 302 makes no call."""
    assert step_after(Canceled()) == Reply(487, "Request Terminated")


def test_silent_site_gives_way_to_the_next() -> None:
    """A site that does not answer in time is left for the next one."""
    assert step_after(NoResponse()) == QueryClearIp(ASKED, next_site=True)


def test_unavailable_clearip_is_a_503_of_our_own() -> None:
    """Its Reason tells it from ClearIP's 503, which means that all is well."""
    decision = after_unavailable(PENDING, POLICY)

    assert isinstance(decision, Reply)
    assert decision.status == 503
    assert decision.headers == (("Reason", 'SIP;cause=503;text="ClearIP unavailable"'),)


def test_unavailable_clearip_searches_the_default_route_when_configured() -> None:
    """The call goes on without a signature."""
    decision = after_unavailable(PENDING, WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:+15551234567;npdi@gw1.example.net"
    assert decision.context.changes == HeaderChanges()


def test_answer_and_its_faults_are_noted() -> None:
    """What ClearIP said, and what could not be used of it, is for the log."""
    decision = after_clearip(
        response(302, "Contact: <sip:1@a>, garbage", "Identity: a.b.c"), PENDING, ASKED, POLICY
    )

    assert isinstance(decision, Noted)
    assert decision.notes[0] == "ClearIP answered 302 Phrase: 1 contacts, 1 Identity"
    assert decision.notes[1].startswith("contact 2: ")
