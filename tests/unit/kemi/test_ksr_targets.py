"""One attempt at a target, with the look-ups that it needs."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from clearip_proxy.decisions import Fork, Reply
from clearip_proxy.response_context import HeaderChanges, ResponseContext, Target
from clearip_proxy.search import TERMINATED
from clearip_proxy.sources import TrustedSource, TrustedSources
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.target_values import (
    FORK,
    KEYS,
    POLICY,
    fork_after_look_up,
    leg,
    look_up,
    next_hops_of,
)

NAMED = FORK._replace(target="sip:1@gw.example.net;transport=tls")
KEY = "sip:gw.example.net:None:tls"
HOPS = (
    "sip:192.0.2.7:5061;transport=tls",
    "sip:192.0.2.8:5061;transport=tls",
)


def test_address_is_sent_to_at_once() -> None:
    """Nothing of ClearIP's leg is left, and both routes are armed before the branch is sent."""
    ksr = FakeKsr()

    assert leg(ksr).fork(FORK) is None
    assert ksr.calls == [
        ("seturi", "sip:1@192.0.2.1"),
        ("unset", "$du"),
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

    step = leg(ksr).fork(FORK._replace(context=context))

    assert isinstance(step, Fork)
    assert step.target == "sip:1@192.0.2.2"


def test_refusing_last_target_is_answered() -> None:
    """The caller is never left to tm's own 477."""
    step = leg(FakeKsr(returns={"t_relay": [-1]})).fork(FORK)

    assert isinstance(step, Reply)
    assert step.status == 503


def test_branch_of_a_call_canceled_meanwhile_is_terminated() -> None:
    """No second target is rung for a caller who has gone."""
    ksr = FakeKsr(returns={"t_relay": [-1], "t_is_canceled": [1]})

    assert leg(ksr).fork(FORK) == TERMINATED


def test_unknown_name_suspends_the_call() -> None:
    """A worker asks for it, without the call; the target is remembered."""
    ksr = FakeKsr(variables={"$T(id_index)": 7, "$T(id_label)": 4_000_000_000})

    assert leg(ksr).fork(NAMED) is None
    assert ksr.calls == [
        ("t_on_failure", "ksr_failure_target"),
        ("t_set_fr", 2_700, 2_700),
        ("t_suspend",),
        ("task_data", "ksr_look_up"),
    ]
    stored = ResponseContext.from_text(ksr.stored["response_context"])
    assert stored.awaited == Target(NAMED.target)
    look_up(ksr, lambda *_: True)
    assert ksr.calls[-1] == ("t_continue", 7, 4_000_000_000 - 2**32, "ksr_looked_up")


def test_known_name_is_sent_to_without_waiting() -> None:
    """Its first address gets the branch, by its name in TLS; the other is kept in reserve."""
    ksr = FakeKsr()

    assert fork_after_look_up(ksr, NAMED, lambda *_: True) is None
    assert next_hops_of(ksr) == [HOPS[0]]
    assert ("xavp_child_sets", "tls", "server_name", "gw.example.net") in ksr.calls
    stored = ResponseContext.from_text(ksr.stored["response_context"])
    assert stored.remaining == (Target(NAMED.target, 0, HOPS[1], is_alternate=True),)
    assert ksr.tables["addresses ttl_s"] == {KEY: 40}


def test_call_waits_once_for_one_target() -> None:
    """What a worker could not find out in time is passed over: no loop."""
    ksr = FakeKsr()

    step = leg(ksr).fork(NAMED._replace(was_asked=True))

    assert isinstance(step, Reply)
    assert "t_suspend" not in ksr.names()


def test_reserve_address_needs_no_look_up() -> None:
    """It was found together with the first."""
    ksr = FakeKsr()
    ksr.tables = {"tcp_taken": {"192.0.2.8:5061": 1}}

    leg(ksr).fork(NAMED._replace(next_hop=HOPS[1]))

    assert next_hops_of(ksr) == [HOPS[1]]


def test_reserve_address_that_waits_is_the_one_taken_up() -> None:
    """Whether it takes connections is asked of it, not of the first."""
    ksr = FakeKsr()

    leg(ksr).fork(NAMED._replace(next_hop=HOPS[1]))

    stored = ResponseContext.from_text(ksr.stored["response_context"])
    assert stored.awaited == Target(NAMED.target, 0, HOPS[1])


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("nowhere.example.net", "has no address"),
        ("dead.example.net", "name server: dead.example.net"),
    ],
)
def test_name_that_leads_nowhere_gives_way_to_the_next_target(host: str, why: str) -> None:
    """Skipped with a line in the log; not fatal. The name server is left alone for a moment."""
    context = FORK.context._replace(remaining=(Target("sip:1@192.0.2.2"),))
    ksr = FakeKsr()

    step = fork_after_look_up(ksr, FORK._replace(target=f"sip:1@{host}:5060", context=context))

    assert isinstance(step, Fork)
    assert step.target == "sip:1@192.0.2.2"
    assert f": target 1 {why}: sip:1@{host}:5060\n" in ksr.logged
    assert ksr.tables["addresses ttl_s"] == {f"sip:{host}:5060:None": 10}


def test_address_of_the_proxy_is_passed_over() -> None:
    """A name that leads here too is followed to its other address only."""
    ksr = FakeKsr()
    policy = replace(POLICY, own=frozenset({"192.0.2.7:5061"}))

    assert fork_after_look_up(ksr, NAMED, lambda *_: True, policy) is None
    assert next_hops_of(ksr) == [HOPS[1]]


OWN = replace(POLICY, own=frozenset({"192.0.2.7:5061", "192.0.2.8:5061"}))


@pytest.mark.parametrize("target", ["sip:1@192.0.2.7:5061", "sip:1@192.0.2.1:5061;maddr=192.0.2.8"])
def test_target_that_is_the_proxy_itself_gives_way_to_the_next(target: str) -> None:
    """Whoever named it, be it the default route: following it would loop."""
    context = FORK.context._replace(remaining=(Target("sip:1@192.0.2.2"),))
    ksr = FakeKsr()

    step = leg(ksr, OWN).fork(FORK._replace(target=target, context=context))

    assert isinstance(step, Fork)
    assert step.target == "sip:1@192.0.2.2"
    assert next_hops_of(ksr) == []


def test_name_of_the_proxy_alone_gives_way_to_the_next() -> None:
    """By whatever name."""
    ksr = FakeKsr()

    assert isinstance(fork_after_look_up(ksr, NAMED, policy=OWN), Reply)
    assert next_hops_of(ksr) == []
    assert any("is the proxy itself" in line for line in ksr.logged)


OVER_TCP = FORK._replace(target="sip:1@192.0.2.1;transport=tcp")


def test_tcp_target_that_takes_connections_is_sent_to() -> None:
    """And for a minute without asking again."""
    ksr = FakeKsr()

    assert fork_after_look_up(ksr, OVER_TCP, lambda *_: True) is None
    assert leg(ksr).fork(OVER_TCP) is None
    assert ksr.names().count("t_relay") == 2


def test_tcp_target_that_takes_no_connection_gives_way_at_once() -> None:
    """To the next target; and the next call does not wait for it either."""
    ksr = FakeKsr()

    assert isinstance(fork_after_look_up(ksr, OVER_TCP, lambda *_: False), Reply)
    assert isinstance(leg(ksr).fork(OVER_TCP), Reply)
    assert "t_relay" not in ksr.names()


def test_tcp_target_that_stops_taking_connections_is_forgotten() -> None:
    """What was learnt is corrected by what happens."""
    ksr = FakeKsr(returns={"t_relay": [-1]})
    ksr.tables = {"tcp_taken": {"192.0.2.1:5060": 1}}

    assert isinstance(leg(ksr).fork(OVER_TCP), Reply)
    assert ksr.tables["tcp_taken"] == {}
    assert ksr.tables["unreachable"] == {"192.0.2.1:5060": 1}


def test_maddr_is_sent_to_in_place_of_the_host() -> None:
    """RFC 3261 §19.1.1; the Request-URI stays as it is."""
    ksr = FakeKsr()
    target = "sip:1@gw.example.net:5070;maddr=192.0.2.9"

    assert leg(ksr).fork(FORK._replace(target=target)) is None
    assert ("seturi", target) in ksr.calls
    assert next_hops_of(ksr) == ["sip:192.0.2.9:5070;transport=udp"]


def test_call_canceled_before_it_waits_is_terminated() -> None:
    """Kamailio would not suspend it, and ClearIP's 302 would go to the caller."""
    ksr = FakeKsr(returns={"t_is_canceled": [1]})

    assert leg(ksr).fork(NAMED) == TERMINATED
    assert "t_suspend" not in ksr.names()


def test_call_canceled_while_it_is_suspended_is_terminated() -> None:
    """The moment between the two looks."""
    ksr = FakeKsr(returns={"t_is_canceled": [-1, 1]})

    assert leg(ksr).fork(NAMED) == TERMINATED


def test_call_that_no_worker_takes_goes_on_with_the_next_target() -> None:
    """A full queue costs a target, not the call; no other target is asked about either."""
    context = FORK.context._replace(remaining=(Target("sip:1@192.0.2.2"),))
    ksr = FakeKsr(returns={"task_data": [-1]})

    assert leg(ksr).fork(NAMED) is None
    assert ksr.calls[-1] == ("t_continue", 0, 0, "ksr_not_looked_up")
    step = leg(ksr).fork(NAMED._replace(context=context), may_look_up=False)
    assert isinstance(step, Fork)
    assert step.target == "sip:1@192.0.2.2"


def test_branch_gets_what_clearip_returned_and_the_record_route() -> None:
    """Removed first, then appended, in order; every branch anew."""
    ksr = FakeKsr(variables={"$ci": "call-1", "$ft": "caller"})
    changes = HeaderChanges(("Identity",), (("Identity", "a.b.c"), ("Identity", "d.e.f")))
    context = ResponseContext(changes=(HeaderChanges(), changes), current=1)
    leg(ksr).fork(FORK._replace(context=context))
    ksr.calls.clear()

    leg(ksr).prepare_branch()

    assert ksr.calls == [
        ("remove", "Identity"),
        ("append", "Identity: a.b.c\r\n"),
        ("append", "Identity: d.e.f\r\n"),
        ("record_route_params", f";dialog={KEYS.token('call-1', 'caller')}"),
    ]


@pytest.mark.parametrize(("limit", "named"), [(5, "ab12"), (None, "")])
def test_record_route_names_the_source_that_the_call_counts_for(
    limit: int | None, named: str
) -> None:
    """So that a BYE from either side ends its count; nothing is named without a limit."""
    source = TrustedSource(ip_network("10.0.0.0/8"), max_calls=limit, id="ab12")
    ksr = FakeKsr(variables={"$ci": "call-1", "$ft": "caller", "$si": "10.1.1.1"})

    leg(ksr, policy=replace(POLICY, trusted=TrustedSources(source))).prepare_branch()

    token = KEYS.token("call-1", "caller", named)
    assert ksr.calls == [("record_route_params", f";dialog={token}")]


def test_branch_leaves_out_a_header_that_would_break_out() -> None:
    """The call goes on without it."""
    ksr = FakeKsr()
    changes = HeaderChanges(added=(("Call-Info", "x\r\nEvil: yes"), ("Identity", "a.b.c")))
    leg(ksr).fork(FORK._replace(context=ResponseContext(changes=(changes,))))

    leg(ksr).prepare_branch()

    assert [call[1] for call in ksr.calls if call[0] == "append"] == ["Identity: a.b.c\r\n"]
