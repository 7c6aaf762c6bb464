"""Requests too large for UDP."""

from dataclasses import replace

import pytest

from clearip_proxy.response_context import HeaderChanges
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.target_values import FORK, leg, next_hops_of, no_probe

LARGE: dict[str, str | int] = {"$ml": 1_200}


def test_large_request_asks_first_whether_the_target_takes_tcp() -> None:
    """The question may take a second, so the call is suspended for it."""
    ksr = FakeKsr(variables=dict(LARGE))

    assert leg(ksr).fork(FORK, may_wait=False) is None
    assert ksr.names()[-1] == "task_route"


@pytest.mark.parametrize(("takes", "hops"), [(True, ["sip:192.0.2.1;transport=tcp"]), (False, [])])
def test_large_request_goes_the_way_that_the_target_takes(hops: list[str], *, takes: bool) -> None:
    """And the next call knows it without asking."""
    for may_wait, probe in ((True, lambda *_: takes), (False, no_probe)):
        ksr = FakeKsr(variables=dict(LARGE))
        if not may_wait:
            ksr.tables = {"tcp_taken" if takes else "tcp_refused": {"192.0.2.1:5060": 1}}

        leg(ksr, probe).fork(FORK, may_wait=may_wait)

        assert next_hops_of(ksr) == hops
        assert ksr.tables.get("counters", {}) == ({"large_requests_over_tcp": 1} if takes else {})


def test_large_request_refused_over_tcp_goes_over_udp_in_the_same_call() -> None:
    """And is remembered, so that the next call does not try."""
    ksr = FakeKsr(variables=dict(LARGE), returns={"t_relay": [-1, 1]})
    ksr.tables = {"tcp_taken": {"192.0.2.1:5060": 1}}

    assert leg(ksr).fork(FORK, may_wait=False) is None
    assert ksr.names().count("t_relay") == 2
    assert ("unset", "$du") in ksr.calls
    assert ksr.tables["tcp_taken"] == {}
    assert ksr.tables["tcp_refused"] == {"192.0.2.1:5060": 1}


def test_added_headers_count_towards_the_size() -> None:
    """It is ClearIP's Identity that makes requests outgrow UDP."""
    changes = HeaderChanges(added=(("Identity", "x" * 800),))
    ksr = FakeKsr(variables={"$ml": 500})

    leg(ksr).fork(replace(FORK, context=FORK.context._replace(changes=(changes,))), may_wait=False)

    assert ksr.names()[-1] == "task_route"
