"""What follows ClearIP's answer, or its silence."""

from dataclasses import replace

import pytest

from clearip_proxy.answering import after_clearip, after_unavailable
from clearip_proxy.branch_outcome import Canceled, NoResponse
from clearip_proxy.decisions import (
    Fork,
    Noted,
    QueryClearIp,
    RelayResponse,
    Reply,
)
from clearip_proxy.header_changes import ReceivedHeaders
from clearip_proxy.response_context import HeaderChanges, Target
from unit.kemi.answer_values import (
    ASKED,
    PENDING,
    POLICY,
    WITH_DEFAULT_ROUTE,
    response,
    step_after,
)


def changes_of(fork: Fork) -> HeaderChanges:
    """What the branch that is about to be sent loses and gets."""
    return fork.context.changes[fork.context.current]


def test_redirect_forks_to_the_highest_q_first() -> None:
    """The target set is searched in q order, with what ClearIP returned."""
    decision = step_after(
        response(
            302,
            "Contact: <sip:1@192.0.2.1>;q=0.1, <sip:1@192.0.2.2;transport=tcp>;q=0.9",
            "Identity: a.b.c;ppt=shaken",
            'P-Asserted-Identity: "[V] NAME" <sip:1@x>',
        )
    )

    assert isinstance(decision, Fork)
    assert decision.target == "sip:1@192.0.2.2;transport=tcp"
    assert decision.context.remaining == (Target("sip:1@192.0.2.1"),)
    assert decision.context.search_ends_ms == 121_000
    assert decision.context.clearip_uri == ASKED.clearip_uri
    assert changes_of(decision) == HeaderChanges(
        removed=("P-Asserted-Identity",),
        added=(
            ("P-Asserted-Identity", '"[V] NAME" <sip:1@x>'),
            ("Identity", "a.b.c;ppt=shaken"),
        ),
    )


def test_embedded_headers_belong_to_their_contact() -> None:
    """Each target gets what its own contact carries (RFC 3261 §19.1.5)."""
    decision = step_after(
        response(
            302,
            "Contact: <sip:1@a?Identity=o.n.e%3Bppt%3Dshaken&Route=%3Csip:evil%3E>;q=0.9",
            "Contact: <sip:1@b?Identity=t.w.o>;q=0.8",
            "Contact: <sip:1@c>;q=0.7",
        )
    )

    assert isinstance(decision, Fork)
    assert decision.target == "sip:1@a"
    assert changes_of(decision).added == (("Identity", "o.n.e;ppt=shaken"),)
    second, third = decision.context.remaining
    assert decision.context.changes[second.changes].added == (("Identity", "t.w.o"),)
    assert decision.context.changes[third.changes] == HeaderChanges()


def test_received_identity_of_another_ppt_stays() -> None:
    """RFC 8946: a diverted call keeps the original PASSporT beside the new one."""
    received = ReceivedHeaders(("o.l.d;ppt=shaken", "d.i.v;ppt=div"))
    answer = response(302, "Contact: <sip:1@192.0.2.1>", "Identity: n.e.w;ppt=shaken")

    decision = step_after(answer, pending=replace(PENDING, received=received))

    assert isinstance(decision, Fork)
    assert changes_of(decision) == HeaderChanges(
        removed=("Identity",),
        added=(("Identity", "d.i.v;ppt=div"), ("Identity", "n.e.w;ppt=shaken")),
    )


def test_redirect_without_identity_leaves_the_received_ones_alone() -> None:
    """Nothing is removed that nothing replaces."""
    received = ReceivedHeaders(("o.l.d;ppt=shaken",))

    decision = step_after(
        response(302, "Contact: <sip:1@a>"), pending=replace(PENDING, received=received)
    )

    assert isinstance(decision, Fork)
    assert changes_of(decision) == HeaderChanges()


@pytest.mark.parametrize(
    "headers", [(), ("Contact: <sip:1@sip.clearip.com>;q=0.99",), ("Contact: garbage",)]
)
def test_redirect_without_destination_searches_the_default_route(headers: tuple[str, ...]) -> None:
    """A data-only 302 brings headers and no route; the default route gets them."""
    decision = step_after(response(302, *headers, "Identity: a.b.c"), WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:+15551234567;npdi@gw1.example.net"
    assert decision.context.remaining == (Target("sips:fixed@gw2.example.net"),)
    assert changes_of(decision).added == (("Identity", "a.b.c"),)


def test_redirect_without_destination_and_default_route_is_a_503_of_our_own() -> None:
    """The Reason says why; the 302 is never relayed."""
    decision = step_after(response(302))

    assert isinstance(decision, Reply)
    assert decision.status == 503
    assert decision.headers == (("Reason", 'SIP;cause=503;text="no route from ClearIP"'),)


def test_pointers_among_real_routes_are_passed_over() -> None:
    """Only the real ones are tried, and the log says what became of the others."""
    answer = response(302, "Contact: <sip:1@sip.clearip.com>;q=1, <tel:+1>, <sip:1@real>;q=0.1")

    decision = after_clearip(answer, PENDING, ASKED, POLICY)

    assert isinstance(decision, Noted)
    assert decision.notes[1:] == (
        "contact 1 skipped: points to ClearIP's own domain",
        "contact 2 skipped: scheme tel leads to no host",
    )
    assert isinstance(decision.decision, Fork)
    assert decision.decision.target == "sip:1@real"
    assert decision.decision.context.remaining == ()


def test_target_of_two_aliases_is_tried_once() -> None:
    """No target twice (RFC 3261 §16.5), whatever ClearIP calls it."""
    aliases = {"tg-a": "sip:192.0.2.50", "tg-b": "sip:192.0.2.50"}
    policy = replace(POLICY, search=replace(POLICY.search, aliases=aliases))

    decision = step_after(response(302, "Contact: <sip:1@tg-a>, <sip:1@tg-b>"), policy)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:1@192.0.2.50"
    assert decision.context.remaining == ()


def test_diverted_call_goes_to_the_diversion_host_or_nowhere() -> None:
    """A normal route beside it would undo the screening."""
    answer = response(302, "Contact: <sip:1@captcha.clearip.com>;q=0.5, <sip:1@normal>;q=0.4")

    decision = step_after(answer, WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert decision.target == "sip:1@captcha.clearip.com"
    assert decision.context.remaining == ()


def test_diversion_that_cannot_be_used_ends_the_call() -> None:
    """Neither the routes beside it nor the default route may undo the screening."""
    policy = replace(
        WITH_DEFAULT_ROUTE,
        search=replace(POLICY.search, aliases={"captcha.clearip.com": "sip:192.0.2.9"}),
        own=frozenset({"192.0.2.9:5060"}),
    )
    answer = response(302, "Contact: <sip:1@captcha.clearip.com>;q=0.5, <sip:1@normal>;q=0.4")

    decision = step_after(answer, policy)

    assert isinstance(decision, Reply)
    assert decision.headers == (("Reason", 'SIP;cause=503;text="diversion host cannot be used"'),)


@pytest.mark.parametrize("status", [401, 403, 404, 407, 484, 500, 503, 603, 607, 608])
def test_final_answer_is_relayed_by_default(status: int) -> None:
    """Without a default route every refusal is the switch's to handle."""
    assert step_after(response(status)) == RelayResponse()


@pytest.mark.parametrize("status", [404, 503, 403, 400, 413, 483, 500])
def test_no_route_and_setup_fault_search_the_default_route_when_configured(status: int) -> None:
    """ClearIP did not stop the call, so it goes on with what ClearIP returned."""
    decision = step_after(response(status, "Identity: a.b.c"), WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert changes_of(decision).added == (("Identity", "a.b.c"),)


@pytest.mark.parametrize("status", [401, 407, 484, 600, 603, 607, 608])
def test_refusal_is_relayed_whatever_is_configured(status: int) -> None:
    """A blocked call is never tried another way."""
    assert step_after(response(status), WITH_DEFAULT_ROUTE) == RelayResponse()


def test_default_route_can_be_signed_again() -> None:
    """A search that ClearIP signed knows with which URI to ask again."""
    decision = step_after(response(404, "Identity: a.b.c"), WITH_DEFAULT_ROUTE)

    assert isinstance(decision, Fork)
    assert decision.context.clearip_uri == ASKED.clearip_uri


def test_canceled_call_is_terminated_whatever_clearip_answers() -> None:
    """A late 302 makes no call."""
    assert step_after(Canceled()) == Reply(487, "Request Terminated")


def test_silent_site_gives_way_to_the_next() -> None:
    """A site that does not answer in time is left for the next one."""
    assert step_after(NoResponse()) == QueryClearIp(ASKED, next_site=True)


def test_unavailable_clearip_is_a_503_of_our_own() -> None:
    """Its Reason tells it from ClearIP's 503, which means that all is well.

    Retry-After is when a site is tried again (RFC 3261 §20.33).
    """
    decision = after_unavailable(PENDING, ASKED, POLICY, retry_after_s=5)

    assert isinstance(decision, Reply)
    assert decision.status == 503
    assert decision.headers == (
        ("Reason", 'SIP;cause=503;text="ClearIP unavailable"'),
        ("Retry-After", "5"),
    )


def test_unavailable_clearip_searches_the_default_route_when_configured() -> None:
    """The call goes on without a signature, which is noted and counted."""
    noted = after_unavailable(PENDING, ASKED, WITH_DEFAULT_ROUTE, retry_after_s=5)

    assert isinstance(noted, Noted)
    assert noted.counted == "unsigned_calls"
    assert "unsigned" in noted.notes[0]
    decision = noted.decision
    assert isinstance(decision, Fork)
    assert decision.target == "sip:+15551234567;npdi@gw1.example.net"
    assert changes_of(decision) == HeaderChanges()


def test_answer_and_its_faults_are_noted() -> None:
    """What ClearIP said, and what could not be used of it, is for the log."""
    decision = after_clearip(
        response(302, "Contact: <sip:1@a>, garbage", "Identity: a.b.c"), PENDING, ASKED, POLICY
    )

    assert isinstance(decision, Noted)
    assert decision.notes[0] == "ClearIP answered 302 Phrase (route): 1 contacts, 1 Identity"
    assert decision.notes[1].startswith("contact 2: ")
