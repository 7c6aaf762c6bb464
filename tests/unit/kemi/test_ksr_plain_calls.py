"""Plain calls in Kamailio: what the short way does there, and when it does nothing at all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clearip_proxy.callbacks import Callbacks
from clearip_proxy.ksr import plain_answers
from clearip_proxy.ksr.branches import ON_TARGET_BRANCH
from clearip_proxy.ksr.connections import HEARD_LIFETIME_S
from clearip_proxy.ksr.plain_answers import ANSWER
from clearip_proxy.ksr.plain_calls import REQUEST
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.moment import Moment
from clearip_proxy.plain.memory import context_of
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.response_context import ResponseContext, Target
from clearip_proxy.sites.lost_calls import Waiting, lost
from clearip_proxy.sites.site_lines import Line
from unit.kemi.answered_call import RESPONSE, VARIABLES, RelayingKsr, policy
from unit.kemi.connected_ksr import CONNECTION, SITE, connected
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.test_plain_requests import INVITE

CALL: dict[str, str | int] = {
    **VARIABLES,
    "$rm": "INVITE",
    "$ru": "sip:+14045550199@127.0.0.1:5060",
    "$mb": INVITE,
    "$ci": "1-18@h",
    "$T(id_index)": 4660,
    "$T(id_label)": 99,
    "$ml": len(INVITE),
}
GENERAL = frozenset({REQUEST, ANSWER})
"""What the short way cannot read leaves a call to the general one."""
TARGET = "sip:+14045550199@192.0.2.1:7002"


@pytest.fixture(autouse=True)
def _beginning_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the short way have the time that the general one is given."""
    monkeypatch.setattr(plain_answers, "monotonic_ms", lambda: 0)


def call(
    events: Path, *, plain: bool = True, ksr: FakeKsr | None = None, **returns: list[int]
) -> tuple[FakeKsr, Callbacks]:
    """Take an INVITE, in either way; return Kamailio, and the proxy for what comes next."""
    kamailio = ksr or connected(RelayingKsr())
    kamailio.variables = {**CALL, **kamailio.variables}
    kamailio.returns |= returns
    kamailio.undecodable = frozenset() if plain else GENERAL
    proxy = Callbacks(kamailio, without_events(events), now=Moment)
    if isinstance(kamailio, RelayingKsr):
        kamailio.proxy = proxy
    assert proxy.ksr_request_route(None) == 1
    return kamailio, proxy


def without_events(events: Path) -> RoutingPolicy:
    """Records have tests of their own."""
    return replace(policy(events), events=None)


def answered(events: Path, *, plain: bool = True, **returns: list[int]) -> FakeKsr:
    """Take a call as far as the first target, in either way."""
    ksr, proxy = call(events, plain=plain)
    ksr.calls.clear()
    ksr.returns |= returns
    ksr.variables |= {"$rs": 302, "$T_rpl($mb)": RESPONSE}
    assert proxy.ksr_failure_clearip(None) == 1
    return ksr


def effects(ksr: FakeKsr) -> set[tuple[Any, ...]]:
    """Return what was done, but for what makes no difference: empty names, absent header fields."""
    idle: set[tuple[Any, ...]] = {("t_on_branch", ""), ("t_on_reply", ""), ("remove", "Route")}
    # The short way needs no branch route, and nothing else is sent with the same message.
    idle |= {("t_on_branch", ON_TARGET_BRANCH), ("tcp_set_otcpid_flag", 0)}
    return set(ksr.calls) - idle - {("t_set_disable_internal_reply", 1)}


def _remembered(ksr: FakeKsr) -> ResponseContext:
    return context_of(str(ksr.stored["response_context"]))


def test_query_is_the_general_one(tmp_path: Path) -> None:
    """To the same site, on the same connection, with the same memory of it."""
    short, _ = call(tmp_path)
    general, _ = call(tmp_path, plain=False)

    assert len(short.calls) < len(general.calls)
    assert effects(short) == effects(general)
    assert ("t_set_disable_internal_reply", 1) in short.calls
    assert _remembered(short) == _remembered(general)
    assert (short.logged, general.logged) == ([], [f"1-18@h: asked ClearIP: {SITE}\n"])


def test_query_kept_for_a_lost_connection_ends_the_same_branch(tmp_path: Path) -> None:
    """Little of the INVITE is kept, and that is enough to make the responses from."""
    kept = [
        lost(Waiting.from_text(str(ksr.tables["asked"]["4660:99"])))
        for ksr, _ in (call(tmp_path), call(tmp_path, plain=False))
    ]

    assert len(kept[0]) == 1
    assert kept[0] == kept[1]


def test_attempt_is_the_general_one(tmp_path: Path) -> None:
    """At the same target, with the same memory and the same counts."""
    short, general = answered(tmp_path), answered(tmp_path, plain=False)

    assert len(short.calls) < len(general.calls)
    assert effects(short) == effects(general)
    assert ("seturi", TARGET) in short.calls
    assert _remembered(short) == _remembered(general)
    _, answered_so, tried = general.logged
    assert short.logged == [f"{answered_so.rstrip()}; {tried.removeprefix('1-18@h: ')}"]
    assert short.tables == general.tables
    assert short.tables["asked"] == {}


def test_target_that_cannot_be_reached_is_passed_over(tmp_path: Path) -> None:
    """The next one is tried, and the log says why."""
    ksr = answered(tmp_path, t_relay=[-1])

    assert ("seturi", "sip:+14045550199@192.0.2.2:7003") in ksr.calls
    assert ksr.names().count("append") == ksr.names().count("record_route_params") == 1
    assert f"1-18@h: target 1 cannot be reached: {TARGET}\n" in ksr.logged


def calling_with(header_line: str) -> FakeKsr:
    """A Kamailio with an INVITE that has one header field more."""
    invite = INVITE.replace("CSeq", f"{header_line}\r\nCSeq")
    return connected(FakeKsr(variables={**CALL, "$mb": invite, "$ml": len(invite)}))


def test_large_request_is_sent_the_general_way(tmp_path: Path) -> None:
    """Which looks for a target that takes TCP."""
    ksr, proxy = call(tmp_path, ksr=calling_with(f"X-Long: {'x' * 600}"))
    ksr.variables |= {"$rs": 302, "$T_rpl($mb)": RESPONSE}
    ksr.tables["tcp_taken"] = {"192.0.2.1:7002": 1}

    assert proxy.ksr_failure_clearip(None) == 1
    assert ("setdsturi", "sip:192.0.2.1:7002;transport=tcp") in ksr.calls


@pytest.mark.parametrize("hindrance", ["canceled", "signed", "searching"])
def test_answer_that_is_not_all_is_left_to_the_general_way(hindrance: str, tmp_path: Path) -> None:
    """A caller who has given up, a PASSporT of the caller's own, a search whose time is over."""
    ksr, proxy = call(
        tmp_path, ksr=calling_with("Identity: a.b.c" if hindrance == "signed" else "X: y")
    )
    ksr.variables |= {"$rs": 302, "$T_rpl($mb)": RESPONSE}
    if hindrance == "canceled":
        ksr.returns["t_is_canceled"] = [1]
    elif hindrance == "signed":
        ksr.headers["Identity"] = ["a.b.c"]
    else:
        searching = ResponseContext("sip:1@h", (Target(TARGET),))
        ksr.stored["response_context"] = searching.to_text()
    ksr.calls.clear()

    assert proxy.ksr_failure_clearip(None) == 1
    first = {"canceled": "send_reply", "signed": "seturi", "searching": "send_reply"}[hindrance]
    assert ksr.names()[0] == first
    assert "record_route_params" not in ksr.names()


@pytest.mark.parametrize("hindrance", ["closed", "resting", "unsent"])
def test_site_that_cannot_be_asked_is_left_to_the_general_way(
    hindrance: str, tmp_path: Path
) -> None:
    """The caller hears that ClearIP is unavailable, and nothing is left of the query."""
    ksr = connected(FakeKsr())
    if hindrance == "closed":
        ksr.open_connections.discard(CONNECTION)
    elif hindrance == "resting":
        KsrSites(ksr).was_silent(SITE, 0)
        ksr.tables["sites"][f"{SITE} resting until"] = 5_000
    call(tmp_path, ksr=ksr, t_relay=[-1, -1] if hindrance == "unsent" else [])

    assert ("send_reply", 503, "Service Unavailable") in ksr.calls
    assert not ksr.tables.get("asked")


def test_retransmission_is_absorbed(tmp_path: Path) -> None:
    """Kamailio has answered it already."""
    ksr, _ = call(tmp_path, t_newtran=[0])

    assert ksr.names()[-1] == "t_newtran"


def test_malformed_invite_is_refused(tmp_path: Path) -> None:
    """Nothing is plain that Kamailio's own checks could find fault with."""
    ksr, _ = call(tmp_path, ksr=calling_with("Expires: never"), sanity_check_defaults=[0])

    assert ("send_reply", 400, "Bad Request") in ksr.calls


def test_route_of_the_callers_own_is_dropped(tmp_path: Path) -> None:
    """It must steer neither ClearIP nor a target."""
    ksr = connected(FakeKsr())
    ksr.variables |= {**CALL, "$mb": INVITE.replace("CSeq", "Route: <sip:h;lr>\r\nCSeq")}

    assert Callbacks(ksr, without_events(tmp_path)).ksr_request_route(None) == 1
    assert ("remove", "Route") in ksr.calls


@pytest.mark.parametrize("trouble", ["none", "no UTF-8", "too long to be printed"])
def test_connection_of_any_request_is_heard(tmp_path: Path, trouble: str) -> None:
    """However the request is read, and once."""
    ksr = connected(FakeKsr())
    if trouble == "too long to be printed":
        ksr.longest_format = 100

    _, proxy = call(tmp_path, ksr=ksr, plain=trouble != "no UTF-8")
    proxy.ksr_request_route(None)

    assert ksr.calls.count(("tcp_set_connection_lifetime_cid", 7, HEARD_LIFETIME_S)) == 1


def test_several_addresses_of_a_site_share_the_calls(tmp_path: Path) -> None:
    """Which one is asked follows from the Call-ID, as in the general way."""
    other = Line(SITE, "sip:192.0.2.11:5061;transport=tls", CONNECTION + 1)
    asked = []
    for plain in (True, False):
        ksr, _ = call(tmp_path, plain=plain, ksr=connected(RelayingKsr(), other))
        asked.append(next(each for each in ksr.calls if each[0] == "setdsturi"))

    assert asked[0] == asked[1]
