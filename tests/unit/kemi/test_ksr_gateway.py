"""Each decision becomes exactly these calls of Kamailio, in this order."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from clearip_proxy.decisions import (
    AbsorbAck,
    CancelBranches,
    Decision,
    Discard,
    FollowRoute,
    Fork,
    Noted,
    QueryClearIp,
    RelayResponse,
    Reply,
    TurnAway,
)
from clearip_proxy.ksr.gateway import KsrGateway
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy, LogPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.routing import OPTIONS_ANSWER, Request
from clearip_proxy.sources import TrustedSource, TrustedSources
from unit.kemi.connected_ksr import connected
from unit.kemi.fake_ksr import FakeKsr

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(TrustedSource(ip_network("10.0.0.0/8"))),
)
NOW = Moment(5_000, 1_700_000_000)
QUERY = QueryClearIp(ResponseContext(clearip_uri="sip:1@sip.clearip.com"))
REFUSAL = Reply(481, "No")
UNSENT = Reply(503, "No")
PASSED_ON = [("loose_route",), ("t_set_disable_internal_reply", 1), ("t_relay",)]
INVITE = Request(method="INVITE", uri="sip:1@x", source_address="10.0.0.1")
FORK = Fork("sip:1@192.0.2.1", ResponseContext(search_ends_ms=9_000, tried=1), 700, 6_000)


def gateway(ksr: FakeKsr) -> KsrGateway:
    """A gateway on a clock that stands still."""
    port: KsrPort = ksr
    return KsrGateway(port, POLICY, now=lambda: NOW)


def calls_for(decision: Decision, ksr: FakeKsr) -> list[tuple[str | int, ...]]:
    """Carry a decision out and return what Kamailio was asked to do."""
    gateway(ksr).carry_out(decision)
    return ksr.calls


@pytest.mark.parametrize("decision", [QUERY, FORK])
def test_first_decision_opens_a_transaction_and_drops_the_route_set(decision: Decision) -> None:
    """A preloaded route must not steer the call past ClearIP."""
    ksr = connected(FakeKsr())

    gateway(ksr).begin(decision, INVITE)

    assert ksr.names()[:2] == ["t_newtran", "remove"]
    assert ("remove", "Route") in ksr.calls


def test_retransmission_does_nothing_more() -> None:
    """Tm has answered it already."""
    ksr = FakeKsr(returns={"t_newtran": [0]})

    gateway(ksr).begin(QUERY, INVITE)

    assert ksr.names() == ["t_newtran"]


def test_reply_carries_its_headers() -> None:
    """Header fields are appended before the response is sent."""
    assert calls_for(Reply(405, "Method Not Allowed", (("Allow", "INVITE"),)), FakeKsr()) == [
        ("append_to_reply", "Allow: INVITE\r\n"),
        ("send_reply", 405, "Method Not Allowed"),
    ]


def test_flood_of_requests_without_a_call_does_not_fill_the_log() -> None:
    """Each is answered; a call attempt is told of always."""
    ksr = FakeKsr()
    proxy = gateway(ksr)
    refusal = Reply(405, "Method Not Allowed")
    for _ in range(50):
        proxy.begin(refusal, replace(INVITE, method="REGISTER"))
    proxy.begin(refusal, INVITE)

    assert ksr.names().count("send_reply") == 51
    assert len(ksr.logged) == 10 + 1


def test_header_with_a_line_break_is_never_sent() -> None:
    """The last line of defence against header injection."""
    assert calls_for(Reply(503, "No", (("Reason", "a\r\nEvil: yes"),)), FakeKsr()) == [
        ("send_reply", 503, "No")
    ]


def test_header_that_is_no_utf8_is_never_sent() -> None:
    """Kamailio takes text only; the call goes on without that header field."""
    ksr = FakeKsr()

    assert calls_for(Reply(503, "No", (("Reason", "caf\udce9"),)), ksr) == [
        ("send_reply", 503, "No")
    ]
    assert "left out: Reason" in ksr.logged[0]


def test_notes_are_logged_before_the_step_is_taken() -> None:
    """One line each, with the Call-ID."""
    ksr = FakeKsr(variables={"$ci": "call-1"})

    calls = calls_for(Noted(("first", "second"), Reply(500, "No")), ksr)

    assert ksr.logged[:2] == ["call-1: first\n", "call-1: second\n"]
    assert calls == [("send_reply", 500, "No")]


def test_note_with_dollar_signs_is_logged_to_the_letter() -> None:
    """What a message held is never read as a pseudo-variable of Kamailio's."""
    ksr = FakeKsr(variables={"$ci": "$var(text)"})

    calls_for(Noted(("costs $ci",), Reply(500, "No")), ksr)

    assert ksr.logged[0] == "$var(text): costs $ci\n"


def test_masked_log_holds_no_whole_number() -> None:
    """Where the operator wants it so, in notes and in faults."""
    ksr = FakeKsr(variables={"$ci": "call-1"})
    port: KsrPort = ksr

    KsrGateway(port, replace(POLICY, log=LogPolicy(mask_numbers=True))).carry_out(
        Noted(("target 1: sip:+14045550100@gw",), Discard("no route for 4045550100"))
    )

    assert ksr.logged[0] == "call-1: target 1: sip:+14045xxxxxx@gw\n"
    assert "no route for 4045xxxxxx" in ksr.logged[1]


def test_note_that_is_no_utf8_is_logged_and_the_call_goes_on() -> None:
    """A reason phrase in another character set must not end the call."""
    ksr = FakeKsr(variables={"$ci": "call-1"})

    calls = calls_for(Noted(("ClearIP answered 302 caf\udce9",), Reply(500, "No")), ksr)

    assert ksr.logged[0] == "call-1: ClearIP answered 302 caf?\n"
    assert calls == [("send_reply", 500, "No")]


@pytest.mark.parametrize("decision", [Discard("why"), RelayResponse()])
def test_decision_to_do_nothing_calls_nothing(decision: Decision) -> None:
    """Tm forwards the response by itself; a discarded request vanishes."""
    assert calls_for(decision, FakeKsr()) == []


def test_cancel_is_passed_to_the_branches() -> None:
    """Tm sends it to every branch that is pending."""
    assert calls_for(CancelBranches(REFUSAL), FakeKsr()) == [("t_check_trans",), ("t_relay",)]


def test_cancel_of_nothing_is_answered() -> None:
    """RFC 3261 §9.2."""
    calls = calls_for(CancelBranches(REFUSAL), FakeKsr(returns={"t_check_trans": [-1]}))

    assert calls[-1] == ("send_reply", 481, "No")


def test_in_dialog_request_follows_its_route() -> None:
    """Along the Record-Route that the proxy left."""
    assert calls_for(FollowRoute(REFUSAL, UNSENT), FakeKsr()) == PASSED_ON


def test_ack_of_a_response_of_our_own_ends_here() -> None:
    """It belongs to the transaction, not to a dialog."""
    ksr = FakeKsr(returns={"t_check_trans": [0]})

    assert calls_for(AbsorbAck(FollowRoute(REFUSAL, UNSENT)), ksr) == [("t_check_trans",)]


def test_ack_of_a_2xx_follows_its_route() -> None:
    """No transaction of the proxy's awaits it."""
    ksr = FakeKsr(returns={"t_check_trans": [-1]})

    calls = calls_for(AbsorbAck(FollowRoute(Discard("why"), UNSENT)), ksr)

    assert calls[1:] == PASSED_ON


def test_in_dialog_request_that_cannot_be_sent_is_answered_in_plain_words() -> None:
    """Kamailio's own would tell which software this is."""
    calls = calls_for(FollowRoute(REFUSAL, UNSENT), FakeKsr(returns={"t_relay": [-1]}))

    assert calls == [*PASSED_ON, ("send_reply", 503, "No")]


def test_in_dialog_request_without_route_is_refused() -> None:
    """What the decision names for this case."""
    calls = calls_for(FollowRoute(REFUSAL, UNSENT), FakeKsr(returns={"loose_route": [-1]}))

    assert calls[-1] == ("send_reply", 481, "No")
    assert ("t_relay",) not in calls


@pytest.mark.parametrize(
    "decision", [Reply(400, "No", names_call=False), Discard("why", names_call=False)]
)
def test_call_id_that_no_log_may_hold_is_left_out(decision: Decision) -> None:
    """It would write a line of its own."""
    ksr = FakeKsr(variables={"$ci": "call-1\r\nforged"})

    calls_for(decision, ksr)

    assert len(ksr.logged) == 1
    assert "forged" not in ksr.logged[0]


def test_internal_error_leaves_such_a_call_id_out() -> None:
    """Whatever has raised."""
    ksr = FakeKsr(variables={"$ci": "call-1\r\nforged", "$si": "10.1.1.1"})

    gateway(ksr).fail("Traceback")

    assert ksr.logged == ["internal error: Traceback\n"]


def test_stranger_over_udp_hears_nothing() -> None:
    """Neither an answer nor anything else."""
    ksr = FakeKsr(variables={"$pr": "udp", "$Rp": 5060})

    assert calls_for(TurnAway("192.0.2.66"), ksr) == []
    assert ksr.logged[0].startswith("not answered: 192.0.2.66 is not a trusted source")


def test_request_that_is_answered_at_once_opens_no_transaction() -> None:
    """An OPTIONS costs no transaction."""
    ksr = FakeKsr()

    gateway(ksr).begin(Reply(200, "OK"), replace(INVITE, method="OPTIONS"))

    assert ksr.names() == ["send_reply"]


@pytest.mark.parametrize(("draining", "status"), [(None, 200), (0, 200), (1, 503)])
def test_options_say_whether_the_node_is_drained(draining: int | None, status: int) -> None:
    """What the operator's command has set counts, and nothing of it is logged."""
    ksr = FakeKsr()
    if draining is not None:
        ksr.htable.sht_seti("node", "draining", draining)
        ksr.calls.clear()

    calls = calls_for(OPTIONS_ANSWER, ksr)

    assert [call[1] for call in calls if call[0] == "send_reply"] == [status]
    assert ksr.logged == []


def test_fork_goes_to_the_leg_of_the_targets() -> None:
    """And what that leg decides next is carried out as well."""
    calls = calls_for(FORK, FakeKsr(returns={"t_relay": [-1]}))

    assert calls[-1] == ("send_reply", 503, "Service Unavailable")


@pytest.mark.parametrize("is_fault", [True, False])
def test_fault_of_the_setup_is_loud_and_counted(*, is_fault: bool) -> None:
    """An operator must find it without looking for it."""
    ksr = FakeKsr()

    calls_for(Noted(("text",), RelayResponse(), counted="faults", is_fault=is_fault), ksr)

    assert ksr.tables["counters"] == {"faults": 1}
    assert ksr.faults == (1 if is_fault else 0)


def test_query_goes_to_the_leg_of_clearip() -> None:
    """With a verified connection it is sent."""
    assert calls_for(QUERY, connected(FakeKsr()))[-2][0] == "t_relay"
