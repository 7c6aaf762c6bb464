"""What is told of a call, callback by callback, and that it costs the call nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clearip_proxy.callbacks import Callbacks
from clearip_proxy.decisions import FollowRoute, Reply
from clearip_proxy.ksr.gateway import KsrGateway
from clearip_proxy.moment import Moment
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.routing import Request
from inline_proxy.observation.spool_reader import SpoolReader
from unit.kemi.connected_ksr import SITE, connected
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.test_callbacks import INVITE, POLICY, REDIRECT
from unit.observation.told import told_in

CALLER: dict[str, str | int] = {
    **INVITE,
    "$ft": "tag-1",
    "$fu": "sip:+1470@10.0.0.1",
    "$ml": 812,
}
REFUSAL = (
    "SIP/2.0 603 Network Blocked\r\n"
    'Reason: SIP;cause=603;text="v=analytics1"\r\nReason: Q.850;cause=21\r\n\r\n'
)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Where the events go."""
    return tmp_path / "events"


def telling(spool: Path, policy: RoutingPolicy = POLICY) -> RoutingPolicy:
    """The policy with events."""
    return replace(policy, events=str(spool))


def proxy(ksr: FakeKsr, spool: Path) -> Callbacks:
    """The object that Kamailio would hold."""
    return Callbacks(ksr, telling(spool), now=Moment)


def told(spool: Path) -> list[dict[str, Any]]:
    """Every event in order."""
    reader = SpoolReader([spool])
    events = told_in(reader) if spool.is_dir() else []
    assert reader.malformed == 0
    return events


def kinds(spool: Path) -> list[str]:
    """The kinds of all events."""
    return [event["kind"] for event in told(spool)]


def caller(**returns: list[int]) -> FakeKsr:
    """A Kamailio with an INVITE outside a dialog."""
    return connected(FakeKsr(variables=dict(CALLER), returns={"has_totag": [-1], **returns}))


def test_signed_and_answered_call_is_told_from_beginning_to_end(spool: Path) -> None:
    """All events of a call attempt carry one id."""
    ksr = caller()
    callbacks = proxy(ksr, spool)

    callbacks.ksr_request_route(None)
    ksr.variables["$T_rpl($mb)"] = REDIRECT
    callbacks.ksr_failure_clearip(None)
    for status in (100, 180, 200):
        ksr.variables["$rs"] = status
        assert callbacks.ksr_reply_target(None) == 1

    begun, asked, answer, attempt, rang, answered = told(spool)
    assert {event["call"] for event in told(spool)} == {begun["call"]}
    assert begun | {"at": 0, "clock": 0, "call": ""} == {
        "kind": "begun",
        "at": 0,
        "clock": 0,
        "call": "",
        "call_id": "call-1",
        "from_tag": "tag-1",
        "from": "sip:+1470@10.0.0.1",
        "to": "sip:1@x",
        "address": "10.0.0.1",
        "source": None,
        "bytes": 812,
        "emergency": False,
        "query": True,
    }
    assert (asked["kind"], asked["site"]) == ("asked", SITE)
    assert (answer["kind"], answer["status"], answer["phrase"]) == ("clearip", 302, "Moved")
    assert (answer["verdict"], answer["contacts"], answer["diverted"]) == ("route", 1, False)
    assert answer["identities"] == ["a.b.c"]
    assert (attempt["kind"], attempt["n"], attempt["target"]) == (
        "attempted",
        1,
        "sip:1@192.0.2.1",
    )
    assert attempt["signed"] is True
    assert (rang["kind"], rang["status"]) == ("rang", 180)
    assert (answered["kind"], answered["status"]) == ("answered", 200)


def test_blocked_call_is_told_with_every_reason(spool: Path) -> None:
    """And with what the caller was sent; nothing is said of an attempt."""
    ksr = caller(t_get_status_code=[603])
    callbacks = proxy(ksr, spool)

    callbacks.ksr_request_route(None)
    ksr.variables["$T_rpl($mb)"] = REFUSAL
    callbacks.ksr_failure_clearip(None)

    answer, finished = told(spool)[-2:]
    assert answer["reasons"] == ['SIP;cause=603;text="v=analytics1"', "Q.850;cause=21"]
    assert answer["verdict"] == "refuse"
    assert (finished["kind"], finished["status"]) == ("finished", 603)
    assert kinds(spool) == ["begun", "asked", "clearip", "finished"]


def test_silent_target_is_told_without_a_status(spool: Path) -> None:
    """And so is what the caller hears in its stead."""
    ksr = caller(t_get_status_code=[408])
    callbacks = proxy(ksr, spool)
    callbacks.ksr_request_route(None)
    ksr.variables["$T_rpl($mb)"] = REDIRECT
    callbacks.ksr_failure_clearip(None)
    del ksr.variables["$T_rpl($mb)"]

    callbacks.ksr_failure_target(None)

    failed, finished = told(spool)[-2:]
    assert (failed["kind"], failed["n"], failed["status"]) == ("failed", 1, None)
    assert (finished["kind"], finished["status"]) == ("finished", 408)


def test_call_that_its_caller_gave_up_is_told_as_canceled(spool: Path) -> None:
    """The target's branch was canceled; it has not failed."""
    ksr = caller()
    callbacks = proxy(ksr, spool)
    callbacks.ksr_request_route(None)
    ksr.returns["t_is_canceled"] = [1]

    callbacks.ksr_failure_target(None)

    failed, finished = told(spool)[-2:]
    assert failed["canceled"] is True
    assert (finished["status"], finished["canceled"]) == (487, True)


def test_invite_answered_at_once_is_told_with_its_answer(spool: Path) -> None:
    """There is no transaction; both events have one id all the same."""
    ksr = caller(process_maxfwd=[-1])

    proxy(ksr, spool).ksr_request_route(None)

    begun, finished = told(spool)
    assert begun["call"] == finished["call"]
    assert (begun["query"], finished["status"]) == (False, 483)


@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "CANCEL"])
def test_request_that_is_no_call_attempt_is_not_told(spool: Path, method: str) -> None:
    """They have no record."""
    ksr = caller()
    ksr.variables["$rm"] = method

    proxy(ksr, spool).ksr_request_route(None)

    assert told(spool) == []


def test_invite_of_a_stranger_is_not_told(spool: Path) -> None:
    """Whoever is not trusted must not be able to fill the disk."""
    ksr = caller()
    ksr.variables["$si"] = "192.0.2.99"

    proxy(ksr, spool).ksr_request_route(None)

    assert told(spool) == []


def test_retransmitted_invite_is_not_told_again(spool: Path) -> None:
    """Its transaction has absorbed it."""
    proxy(caller(t_newtran=[0]), spool).ksr_request_route(None)

    assert told(spool) == []


@pytest.mark.parametrize(("method", "expected"), [("BYE", ["hung_up"]), ("INFO", []), ("ACK", [])])
def test_end_of_a_dialog_is_told_by_its_identifiers(
    spool: Path, method: str, expected: list[str]
) -> None:
    """A BYE may come from either side."""
    ksr = FakeKsr(variables={**CALLER, "$rm": method, "$tt": "tag-2"})
    request = Request(
        method=method,
        uri="sip:1@x",
        source_address="10.0.0.1",
        call_id="call-1",
        from_tag="tag-1",
        to_tag="tag-2",
    )

    KsrGateway(ksr, telling(spool)).begin(FollowRoute(Reply(481, "No"), Reply(503, "No")), request)

    assert kinds(spool) == expected
    for event in told(spool):
        assert (event["call_id"], event["from_tag"], event["to_tag"]) == (
            "call-1",
            "tag-1",
            "tag-2",
        )


def test_text_that_is_no_utf8_is_told_with_replacements(spool: Path) -> None:
    """Latin-1 in a From, say: the call goes on, and so does its record."""
    ksr = replace(caller(), undecodable=frozenset({"$fu"}))
    ksr.variables["$(fu{s.encode.hexa})"] = b"sip:caf\xe9@x".hex()

    proxy(ksr, spool).ksr_request_route(None)

    assert told(spool)[0]["from"] == "sip:caf\ufffd@x"
    assert "t_relay" in ksr.names()


def test_spool_that_takes_nothing_costs_the_call_nothing(spool: Path) -> None:
    """It is counted, and the INVITE goes to ClearIP as ever."""
    spool.touch()
    ksr = caller()

    assert proxy(ksr, spool).ksr_request_route(None) == 1

    assert "t_relay" in ksr.names()
    assert "send_reply" not in ksr.names()
    assert ksr.tables["counters"]["events_lost"] == 1


def test_nothing_is_told_and_no_response_looked_at_where_nobody_wants_to_know(
    tmp_path: Path,
) -> None:
    """Without records, a call costs what it always did."""
    ksr = caller()
    callbacks = Callbacks(ksr, POLICY, now=Moment)

    callbacks.ksr_request_route(None)
    ksr.variables["$T_rpl($mb)"] = REDIRECT
    callbacks.ksr_failure_clearip(None)
    callbacks.ksr_failure_target(None)

    assert ("t_on_reply", "ksr_reply_target") not in ksr.calls
    assert "call" not in ksr.stored
    assert list(tmp_path.iterdir()) == []


def test_internal_error_is_told_as_the_500_that_the_caller_got(spool: Path) -> None:
    """The record of such a call is the first place to look."""
    ksr = caller()
    callbacks = proxy(ksr, spool)
    callbacks.ksr_request_route(None)
    ksr.stored["response_context"] = "not JSON"

    callbacks.ksr_failure_clearip(None)

    assert (told(spool)[-1]["kind"], told(spool)[-1]["status"]) == ("finished", 500)
