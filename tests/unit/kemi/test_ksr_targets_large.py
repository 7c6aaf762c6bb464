"""Requests too large for UDP."""

import pytest

from clearip_proxy.response_context import HeaderChanges
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.target_values import FORK, fork_after_look_up, leg, next_hops_of

LARGE: dict[str, str | int] = {"$ml": 1_200}
OVER_TCP = "sip:192.0.2.1;transport=tcp"


@pytest.mark.parametrize(("takes", "hops"), [(True, [OVER_TCP]), (False, [])])
def test_large_request_goes_the_way_that_the_target_takes(hops: list[str], *, takes: bool) -> None:
    """A worker asks the target; the next call knows it without asking."""
    ksr = FakeKsr(variables=dict(LARGE))

    assert fork_after_look_up(ksr, FORK, lambda *_: takes) is None
    assert next_hops_of(ksr) == hops
    assert leg(ksr).fork(FORK) is None
    assert next_hops_of(ksr) == hops * 2
    assert ksr.tables.get("counters", {}) == ({"large_requests_over_tcp": 2} if takes else {})


def test_large_request_refused_over_tcp_goes_over_udp_in_the_same_call() -> None:
    """And is remembered, so that the next call does not try."""
    ksr = FakeKsr(variables=dict(LARGE), returns={"t_relay": [-1, 1]})
    ksr.tables = {"tcp_taken": {"192.0.2.1:5060": 1}}

    assert leg(ksr).fork(FORK) is None
    assert ksr.names().count("t_relay") == 2
    assert ("unset", "$du") in ksr.calls
    assert ksr.tables["tcp_taken"] == {}
    assert ksr.tables["tcp_refused"] == {"192.0.2.1:5060": 1}
    assert ksr.tables["counters"] == {
        "large_requests_over_tcp": 1,
        "large_requests_back_to_udp": 1,
    }


def test_added_headers_count_towards_the_size() -> None:
    """It is ClearIP's Identity that makes requests outgrow UDP."""
    changes = HeaderChanges(added=(("Identity", "x" * 800),))
    ksr = FakeKsr(variables={"$ml": 500})
    fork = FORK._replace(context=FORK.context._replace(changes=(changes,)))

    assert fork_after_look_up(ksr, fork, lambda *_: True) is None
    assert next_hops_of(ksr) == [OVER_TCP]


def test_small_request_asks_nobody() -> None:
    """It goes over UDP at once."""
    ksr = FakeKsr(variables={"$ml": 700})

    assert leg(ksr).fork(FORK) is None
    assert "t_suspend" not in ksr.names()


def test_transport_in_the_uri_is_kept() -> None:
    """Whoever wrote it knows the target (RFC 3263 §4.1)."""
    ksr = FakeKsr(variables=dict(LARGE))

    assert leg(ksr).fork(FORK._replace(target="sip:1@192.0.2.1;transport=UDP")) is None
    assert next_hops_of(ksr) == []
    assert "t_suspend" not in ksr.names()
