"""One attempt at a target, with the look-ups that it needs."""

from dataclasses import replace

import pytest

from clearip_proxy.decisions import Decision, Fork, Reply
from clearip_proxy.response_context import HeaderChanges, ResponseContext, Target
from clearip_proxy.search import TERMINATED
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.target_values import FORK, KEYS, POLICY, leg, next_hops_of

NAMED = replace(FORK, target="sip:1@gw.example.net;transport=tls")
KEY = "sip:gw.example.net:None:tls"
HOPS = (
    "sip:192.0.2.7:5061;transport=tls",
    "sip:192.0.2.8:5061;transport=tls",
)


def test_address_is_sent_to_at_once() -> None:
    """Nothing of ClearIP's leg is left, and both routes are armed before the branch is sent."""
    ksr = FakeKsr()

    assert leg(ksr).fork(FORK, may_wait=False) is None
    assert ksr.calls == [
        ("seturi", "sip:1@192.0.2.1"),
        ("unset", "$du"),
        ("xavp_child_sets", "tls", "server_name", ""),
        ("t_on_branch", "ksr_branch_target"),
        ("t_on_reply", ""),
        ("t_on_failure", "ksr_failure_target"),
        ("t_set_fr", 6_000, 700),
        ("t_set_disable_internal_reply", 1),
        ("t_relay",),
    ]


def test_refusing_target_gives_way_to_the_next() -> None:
    """The search goes on in the same callback."""
    context = FORK.context._replace(remaining=(Target("sip:1@192.0.2.2"),))
    ksr = FakeKsr(returns={"t_relay": [-1]})

    step = leg(ksr).fork(replace(FORK, context=context), may_wait=False)

    assert isinstance(step, Fork)
    assert step.target == "sip:1@192.0.2.2"


def test_refusing_last_target_is_answered() -> None:
    """The caller is never left to tm's own 477."""
    step = leg(FakeKsr(returns={"t_relay": [-1]})).fork(FORK, may_wait=False)

    assert isinstance(step, Reply)
    assert step.status == 503


def test_branch_of_a_call_canceled_meanwhile_is_terminated() -> None:
    """No second target is rung for a caller who has gone."""
    ksr = FakeKsr(returns={"t_relay": [-1], "t_is_canceled": [1]})

    assert leg(ksr).fork(FORK, may_wait=False) == TERMINATED


def test_unknown_name_suspends_the_call() -> None:
    """A process that others wait for never asks the DNS; the target is remembered."""
    ksr = FakeKsr()

    assert leg(ksr).fork(NAMED, may_wait=False) is None
    assert ksr.names() == ["t_on_failure", "t_set_fr", "task_route"]
    assert ksr.calls[-1] == ("task_route", "ksr_look_up")
    stored = ResponseContext.from_text(ksr.stored["response_context"])
    assert stored.awaited == NAMED.target


def test_known_name_is_sent_to_without_waiting() -> None:
    """Its first address gets the branch, by its name in TLS; the other is kept in reserve."""
    ksr = FakeKsr()
    leg(ksr, lambda *_: True).fork(NAMED, may_wait=True)
    ksr.calls.clear()

    assert leg(ksr).fork(NAMED, may_wait=False) is None
    assert next_hops_of(ksr) == [HOPS[0]]
    assert ("xavp_child_sets", "tls", "server_name", "gw.example.net") in ksr.calls
    stored = ResponseContext.from_text(ksr.stored["response_context"])
    assert stored.remaining == (Target(NAMED.target, 0, HOPS[1], is_alternate=True),)
    assert ksr.tables["addresses ttl_s"] == {KEY: 40}


def test_reserve_address_needs_no_look_up() -> None:
    """It was found together with the first."""
    ksr = FakeKsr()
    ksr.tables = {"tcp_taken": {"192.0.2.8:5061": 1}}

    leg(ksr).fork(replace(NAMED, next_hop=HOPS[1]), may_wait=False)

    assert next_hops_of(ksr) == [HOPS[1]]


@pytest.mark.parametrize("host", ["nowhere.example.net", "dead.example.net"])
def test_name_that_leads_nowhere_gives_way_to_the_next_target(host: str) -> None:
    """Skipped with a line in the log; not fatal."""
    context = FORK.context._replace(remaining=(Target("sip:1@192.0.2.2"),))
    ksr = FakeKsr()

    step: Decision | None = leg(ksr).fork(
        replace(FORK, target=f"sip:1@{host}:5060", context=context), may_wait=True
    )

    assert isinstance(step, Fork)
    assert step.target == "sip:1@192.0.2.2"
    assert any("leads nowhere" in line for line in ksr.logged)


def test_address_of_the_proxy_is_passed_over() -> None:
    """A name that leads here too is followed to its other address only."""
    ksr = FakeKsr()
    policy = replace(POLICY, own=frozenset({"192.0.2.7:5061"}))

    assert leg(ksr, lambda *_: True, policy).fork(NAMED, may_wait=True) is None
    assert next_hops_of(ksr) == [HOPS[1]]


@pytest.mark.parametrize("target", ["sip:1@192.0.2.7:5061", "sip:1@gw.example.net:5061"])
def test_target_that_is_the_proxy_itself_gives_way_to_the_next(target: str) -> None:
    """Whoever named it, be it the default route: following it would loop."""
    context = FORK.context._replace(remaining=(Target("sip:1@192.0.2.2"),))
    policy = replace(POLICY, own=frozenset({"192.0.2.7:5061", "192.0.2.8:5061"}))
    ksr = FakeKsr()

    step = leg(ksr, policy=policy).fork(
        replace(FORK, target=target, context=context), may_wait=True
    )

    assert isinstance(step, Fork)
    assert step.target == "sip:1@192.0.2.2"
    assert next_hops_of(ksr) == []


def test_silent_name_server_is_left_alone_for_a_moment() -> None:
    """Its silence must not keep every asynchronous worker busy."""
    ksr = FakeKsr()

    leg(ksr).fork(replace(FORK, target="sip:1@dead.example.net:5060"), may_wait=True)

    assert ksr.tables["addresses"] == {"sip:dead.example.net:5060:None": "[]"}
    assert ksr.tables["addresses ttl_s"] == {"sip:dead.example.net:5060:None": 10}


OVER_TCP = replace(FORK, target="sip:1@192.0.2.1;transport=tcp")


def test_tcp_target_that_is_not_known_to_be_there_is_asked_first() -> None:
    """Kamailio itself would learn of a refusal only when the target's time is over."""
    ksr = FakeKsr()

    assert leg(ksr).fork(OVER_TCP, may_wait=False) is None
    assert ksr.names()[-1] == "task_route"


def test_tcp_target_that_takes_connections_is_sent_to() -> None:
    """And for a minute without asking again."""
    ksr = FakeKsr()

    assert leg(ksr, lambda *_: True).fork(OVER_TCP, may_wait=True) is None
    assert leg(ksr).fork(OVER_TCP, may_wait=False) is None
    assert ksr.names().count("t_relay") == 2


def test_tcp_target_that_takes_no_connection_gives_way_at_once() -> None:
    """To the next target; and the next call does not wait for it either."""
    ksr = FakeKsr()

    assert isinstance(leg(ksr, lambda *_: False).fork(OVER_TCP, may_wait=True), Reply)
    assert isinstance(leg(ksr).fork(OVER_TCP, may_wait=False), Reply)
    assert "t_relay" not in ksr.names()


def test_tcp_target_that_stops_taking_connections_is_forgotten() -> None:
    """What was learnt is corrected by what happens."""
    ksr = FakeKsr(returns={"t_relay": [-1]})
    ksr.tables = {"tcp_taken": {"192.0.2.1:5060": 1}}

    assert isinstance(leg(ksr).fork(OVER_TCP, may_wait=False), Reply)
    assert ksr.tables["tcp_taken"] == {}
    assert ksr.tables["unreachable"] == {"192.0.2.1:5060": 1}


def test_call_canceled_before_it_waits_is_terminated() -> None:
    """Kamailio would not suspend it, and ClearIP's 302 would go to the caller."""
    ksr = FakeKsr(returns={"t_is_canceled": [1]})

    assert leg(ksr).fork(NAMED, may_wait=False) == TERMINATED
    assert "task_route" not in ksr.names()


def test_call_canceled_while_it_is_suspended_is_terminated() -> None:
    """The moment between the two looks."""
    ksr = FakeKsr(returns={"t_is_canceled": [-1, 1]})

    assert leg(ksr).fork(NAMED, may_wait=False) == TERMINATED


def test_call_that_no_worker_takes_goes_on_with_the_next_target() -> None:
    """A full queue costs a target, not the call."""
    ksr = FakeKsr(returns={"task_route": [-1]})

    assert isinstance(leg(ksr).fork(NAMED, may_wait=False), Reply)


def test_branch_gets_what_clearip_returned_and_the_record_route() -> None:
    """Removed first, then appended, in order; every branch anew."""
    ksr = FakeKsr(variables={"$ci": "call-1", "$ft": "caller"})
    changes = HeaderChanges(("Identity",), (("Identity", "a.b.c"), ("Identity", "d.e.f")))
    context = ResponseContext(changes=(HeaderChanges(), changes), current=1)
    leg(ksr).fork(replace(FORK, context=context), may_wait=False)
    ksr.calls.clear()

    leg(ksr).prepare_branch()

    assert ksr.calls == [
        ("remove", "Identity"),
        ("append", "Identity: a.b.c\r\n"),
        ("append", "Identity: d.e.f\r\n"),
        ("record_route_params", f";dialog={KEYS.token('call-1', 'caller')}"),
    ]


def test_branch_leaves_out_a_header_that_would_break_out() -> None:
    """The call goes on without it."""
    ksr = FakeKsr()
    changes = HeaderChanges(added=(("Call-Info", "x\r\nEvil: yes"), ("Identity", "a.b.c")))
    leg(ksr).fork(replace(FORK, context=ResponseContext(changes=(changes,))), may_wait=False)

    leg(ksr).prepare_branch()

    assert [call[1] for call in ksr.calls if call[0] == "append"] == ["Identity: a.b.c\r\n"]
