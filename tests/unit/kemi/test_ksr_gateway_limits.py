"""Calls of limited sources, from the gateway's side."""

from ipaddress import ip_network

import pytest

from clearip_proxy.decisions import (
    AbsorbAck,
    AdmitCall,
    CountedCall,
    Decision,
    Discard,
    FollowRoute,
)
from clearip_proxy.sources import TrustedSource
from unit.kemi.connected_ksr import connected
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.test_ksr_gateway import INVITE, QUERY, REFUSAL, UNSENT, calls_for, gateway

LIMITED = TrustedSource(ip_network("10.7.0.0/16"), max_calls=1, id="ab")
CALL = CountedCall("ab", "call-1")


def test_admitted_call_asks_clearip() -> None:
    """As any other call, once it is counted."""
    ksr = connected(FakeKsr(returns={"t_check_trans": [-1]}))

    gateway(ksr).begin(AdmitCall(LIMITED, "call-1", QUERY), INVITE)

    assert "t_relay" in ksr.names()
    assert ksr.tables["calls_of_sources"] == {"ab": 1}


def test_refused_call_costs_no_transaction() -> None:
    """A flood fills no memory; the answer says when to come again."""
    ksr = FakeKsr(returns={"t_check_trans": [-1]}, tables={"calls_of_sources": {"ab": 1}})

    gateway(ksr).begin(AdmitCall(LIMITED, "call-1", QUERY), INVITE)

    assert ksr.names() == ["t_check_trans", *["append_to_reply"] * 2, "send_reply"]
    assert ksr.calls[-1] == ("send_reply", 503, "Service Unavailable")
    assert ksr.tables["calls_of_sources"] == {"ab": 1}


def test_retransmission_of_a_limited_source_is_not_counted() -> None:
    """Kamailio has answered it already."""
    ksr = FakeKsr(returns={"t_check_trans": [0]})

    gateway(ksr).begin(AdmitCall(LIMITED, "call-1", QUERY), INVITE)

    assert ksr.names() == ["t_check_trans"]
    assert ksr.tables == {}


@pytest.mark.parametrize(
    "end", [FollowRoute(REFUSAL, UNSENT, ends=CALL), AbsorbAck(Discard("why"), ends=CALL)]
)
def test_end_of_a_call_is_counted(end: Decision) -> None:
    """A BYE inside the dialog, or the ACK to a failure."""
    ksr = connected(FakeKsr(returns={"t_check_trans": [-1, 0]}))
    gateway(ksr).begin(AdmitCall(LIMITED, "call-1", QUERY), INVITE)

    gateway(ksr).carry_out(end)

    assert ksr.tables["calls_of_sources"] == {"ab": 0}


def test_answered_call_counts_for_longer() -> None:
    """From the ACK on."""
    ksr = FakeKsr()

    calls_for(FollowRoute(REFUSAL, UNSENT, goes_on=CALL), ksr)

    assert list(ksr.tables["calls_in_progress ttl_s"].values()) == [14_400]
