"""The wiring: every name that Kamailio is told exists, and the guard stands around each."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

import pytest

from clearip_proxy.callbacks import Callbacks
from clearip_proxy.dialog_token import DialogKeys
from clearip_proxy.ksr import branches
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy, HeaderPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.response_context import ResponseContext, Target
from clearip_proxy.sources import TrustedSource, TrustedSources
from unit.kemi.connected_ksr import CONNECTION, connected
from unit.kemi.fake_ksr import FakeKsr, FakeLogging
from unit.kemi.fake_modules import FakeMaxForwards

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(TrustedSource(ip_network("10.0.0.0/8"))),
    headers=HeaderPolicy(("Identity",)),
    dialog_keys=DialogKeys((b"a key",)),
)
INVITE: dict[str, str | int] = {
    "$rm": "INVITE",
    "$ru": "sip:1@x",
    "$ou": "sip:1@x",
    "$si": "10.0.0.1",
    "$ci": "call-1",
    "$ft": "caller",
    "$mb": "INVITE sip:1@x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n",
}
REDIRECT = "SIP/2.0 302 Moved\r\nContact: <sip:1@192.0.2.1>\r\nIdentity: a.b.c\r\n\r\n"


class FailingKsr(FakeKsr):
    """One of its modules fails whenever it is used."""

    @property
    def maxfwd(self) -> FakeMaxForwards:
        """What every request asks for."""
        raise RuntimeError


def callbacks(ksr: FakeKsr) -> Callbacks:
    """The object that Kamailio would hold."""
    return Callbacks(ksr, POLICY, now=Moment)


def test_every_registered_callback_exists() -> None:
    """A name without a method would let ClearIP's 302 through to the caller, silently."""
    names = [value for name, value in vars(branches).items() if name.startswith("ON_")]

    assert len(names) == 11
    assert all(callable(getattr(Callbacks, name)) for name in names)


def test_worker_process_starts() -> None:
    """Kamailio takes 0 for success."""
    assert callbacks(FakeKsr()).child_init(1) == 0


def test_call_goes_from_request_to_target() -> None:
    """Request route, failure route and branch route share the transaction's context."""
    ksr = connected(FakeKsr(variables=dict(INVITE)))
    proxy = callbacks(ksr)

    assert proxy.ksr_request_route(None) == 1
    ksr.variables["$T_rpl($mb)"] = REDIRECT
    assert proxy.ksr_failure_clearip(None) == 1
    assert proxy.ksr_branch_target(None) == 1
    assert ("seturi", "sip:1@192.0.2.1") in ksr.calls
    assert ("append", "Identity: a.b.c\r\n") in ksr.calls


def test_call_above_the_ceiling_is_refused_before_it_costs_anything() -> None:
    """No transaction, no query; what is taken is counted, for the ceiling to follow."""
    ksr, numbers = connected(FakeKsr(variables=dict(INVITE))), SharedNumbers()
    proxy = Callbacks(ksr, POLICY, now=Moment, numbers=numbers)

    proxy.ksr_request_route(None)
    assert ("send_reply", 503, "Service Unavailable") not in ksr.calls
    assert numbers.calls_begun == 1
    numbers.ceiling_cps = 1
    ksr.returns["t_check_trans"] = [-1, -1]
    for _ in range(2):
        proxy.ksr_request_route(None)

    assert ksr.names().count("t_newtran") == 2
    assert ksr.calls.count(("send_reply", 503, "Service Unavailable")) == 1
    assert numbers.calls_begun == 2


def test_failing_target_is_relayed_at_the_end() -> None:
    """The failure route of a target decides on what the target said."""
    ksr = FakeKsr(variables={**INVITE, "$T_rpl($mb)": "SIP/2.0 486 Busy\r\n\r\n"})

    assert callbacks(ksr).ksr_failure_target(None) == 1
    assert "t_relay" not in ksr.names()


@pytest.mark.parametrize(
    "callback",
    [
        Callbacks.ksr_request_route,
        Callbacks.ksr_failure_clearip,
        Callbacks.ksr_failure_target,
        Callbacks.ksr_branch_target,
    ],
)
def test_exception_answers_500_and_is_logged(
    callback: Callable[[Callbacks, object], int],
) -> None:
    """Without the guard the caller would be left without an answer."""
    ksr = FailingKsr(variables=dict(INVITE))
    ksr.stored["response_context"] = "not JSON"
    ksr.variables["$T_rpl($mb)"] = "no status line"

    assert callback(callbacks(ksr), None) == 1
    assert ksr.calls[-1] == ("send_reply", 500, "Server Internal Error")
    assert ksr.logged[-1].startswith("call-1: internal error: Traceback")
    assert ksr.logged[-1].count("\n") == 1


def test_exception_about_a_stranger_is_not_answered() -> None:
    """Whatever a scanner sends, it hears nothing."""
    ksr = FailingKsr(variables={**INVITE, "$si": "192.0.2.66"})

    assert callbacks(ksr).ksr_request_route(None) == 1
    assert "send_reply" not in ksr.names()
    assert ksr.logged[-1].startswith("call-1: internal error: Traceback")


def test_exception_while_answering_is_contained() -> None:
    """When nothing works any more, the process still lives."""

    class BrokenKsr(FakeKsr):
        @property
        def xlog(self) -> FakeLogging:
            raise RuntimeError

    ksr = BrokenKsr(variables={**INVITE, "$si": "not an address"})

    assert callbacks(ksr).ksr_request_route(None) == -1


def test_expired_call_counts_no_longer() -> None:
    """Other tables forget without a word."""
    ksr = FakeKsr(tables={"calls_of_sources": {"ab": 2}})
    ksr.variables |= {"$shtrecord(key)": "ab 1234", "$shtrecord(value)": 1}

    assert callbacks(ksr).ksr_table_event(None, "htable:expired:calls_in_progress") == 1
    assert callbacks(ksr).ksr_table_event(None, "htable:expired:addresses") == 1
    assert callbacks(ksr).ksr_table_event(None, "htable:mod-init") == 1
    assert ksr.tables["calls_of_sources"] == {"ab": 1}


def test_sites_are_kept_by_one_keeper() -> None:
    """It remembers from one run of the timer to the next."""
    ksr = FakeKsr()
    policy = replace(POLICY, clearip=replace(POLICY.clearip, sites=("sip:192.0.2.1:5061",)))
    proxy = Callbacks(ksr, policy, now=Moment)

    assert proxy.ksr_keep_sites(None) == 1
    assert proxy.ksr_keep_sites(None) == 1
    assert ksr.names().count("uac_req_send") == 1


def test_keeping_sites_survives_a_failure() -> None:
    """A timer has no call to answer, only something to say."""

    class UnsendingKsr(FakeKsr):
        def does(self, *call: str | int) -> int:
            raise RuntimeError(str(call))

    ksr = UnsendingKsr()
    policy = replace(POLICY, clearip=replace(POLICY.clearip, sites=("sip:192.0.2.1:5061",)))

    assert Callbacks(ksr, policy).ksr_keep_sites(None) == 1
    assert ksr.logged[-1].startswith("internal error: Traceback")


def test_answer_of_a_site_is_taken() -> None:
    """The callback of the OPTIONS."""
    ksr = FakeKsr(variables={"$uac_req(evtype)": 1, "$uac_req(evparam)": "sip:a:5061"})

    assert callbacks(ksr).ksr_site_answer(None) == 1
    assert "sip:a:5061 answered" in ksr.tables["sites"]


def test_response_of_clearip_is_taken_before_kamailio_acts_on_it() -> None:
    """The reply route of the query."""
    ksr = connected(FakeKsr(variables={"$rs": 180, "$conid": CONNECTION}))

    assert callbacks(ksr).ksr_reply_clearip(None) == 1
    assert ksr.names() == ["change_reply_status"]


def test_response_to_a_forgotten_call_is_taken() -> None:
    """The callback that tm's `on_sl_reply` names."""
    ksr = FakeKsr(variables={"$rs": 302, "$si": "10.0.0.1"})

    assert callbacks(ksr).ksr_stray_reply(None) == 1
    assert ksr.names() == ["set_drop"]


def test_call_that_waited_for_a_connection_asks_clearip() -> None:
    """In an asynchronous worker."""
    ksr = connected(FakeKsr(variables=dict(INVITE)))
    ksr.stored["response_context"] = ResponseContext(clearip_uri="sip:1@c").to_text()

    assert callbacks(ksr).ksr_connection(None) == 1
    assert "t_relay" in ksr.names()


def test_failing_query_branch_is_answered() -> None:
    """The branch route of the query is guarded as well."""

    class HeaderlessKsr(FakeKsr):
        def does(self, *call: str | int) -> int:
            if call[0] == "append":
                raise RuntimeError(str(call))
            return super().does(*call)

    ksr = HeaderlessKsr(variables=dict(INVITE))

    assert callbacks(ksr).ksr_branch_clearip(None) == 1
    assert ksr.calls[-1] == ("send_reply", 500, "Server Internal Error")


AWAITING = ResponseContext(
    awaited=Target("sip:1@192.0.2.1"),
    remaining=(Target("sip:1@192.0.2.2"),),
    search_ends_ms=100_000,
    tried=1,
)


@pytest.mark.parametrize("callback", ["ksr_looked_up", "ksr_not_looked_up"])
def test_call_that_waited_takes_its_target_up_again(callback: str) -> None:
    """With what has been found out by then."""
    ksr = FakeKsr(variables=dict(INVITE))
    ksr.stored["response_context"] = AWAITING.to_text()

    assert getattr(callbacks(ksr), callback)(None) == 1
    assert ("seturi", "sip:1@192.0.2.1") in ksr.calls


def test_look_up_hands_the_call_back_whatever_happens() -> None:
    """A call that nobody goes on with would be silent for seconds."""
    ksr = FakeKsr(task='[[7, 8], [["no uri", "", 0, 0], 9000]]')

    assert callbacks(ksr).ksr_look_up(None) == 1
    assert ksr.calls == [("t_continue", 7, 8, "ksr_looked_up")]
    assert "internal error" in ksr.logged[-1]


def test_call_whose_worker_is_overdue_goes_on_with_the_next_target() -> None:
    """It is suspended no longer: tm would take no notice of what the next target answers."""
    ksr = FakeKsr(variables=dict(INVITE))
    ksr.stored["response_context"] = AWAITING.to_text()

    assert callbacks(ksr).ksr_failure_target(None) == 1
    assert ksr.calls[0] == ("t_continue", 0, 0, "")
    assert ("seturi", "sip:1@192.0.2.2") in ksr.calls
