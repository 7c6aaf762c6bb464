"""Responses of ClearIP sites, before Kamailio acts on them."""

from ipaddress import ip_network

import pytest

from clearip_proxy.clearip_reply import TELLING_HEADERS
from clearip_proxy.dialog_token import DialogKeys
from clearip_proxy.ksr.reader import KsrReader
from clearip_proxy.ksr.replies import ClearIpReplies
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.sources import TrustedSource, TrustedSources
from unit.kemi.connected_ksr import CONNECTION, connected
from unit.kemi.fake_ksr import FakeKsr

KEYS = DialogKeys((b"key",))
POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(TrustedSource(ip_network("10.0.0.0/8"))),
    dialog_keys=KEYS,
)
FROM_CLEARIP: dict[str, str | int] = {"$conid": CONNECTION}


def replies(ksr: FakeKsr) -> ClearIpReplies:
    """What takes the responses of one site."""
    return ClearIpReplies(ksr, POLICY, KsrReader(ksr, Moment))


def test_redirection_is_left_alone() -> None:
    """The usual answer costs no call into Kamailio."""
    ksr = connected(FakeKsr(variables={**FROM_CLEARIP, "$rs": 302}))

    replies(ksr).take()

    assert ksr.calls == []


def test_refusal_loses_what_tells_of_clearip() -> None:
    """Should it be relayed."""
    ksr = connected(FakeKsr(variables={**FROM_CLEARIP, "$rs": 603}))

    replies(ksr).take()

    assert ksr.calls == [("remove", name) for name in TELLING_HEADERS]


def test_ringing_is_turned_into_a_100() -> None:
    """Which Kamailio does not forward."""
    ksr = connected(FakeKsr(variables={**FROM_CLEARIP, "$rs": 183}))

    replies(ksr).take()

    assert ksr.calls == [("change_reply_status", 100, "Trying")]


@pytest.mark.parametrize("undecodable", [frozenset[str](), frozenset({"$mb"})])
def test_acceptance_is_turned_into_a_502(undecodable: frozenset[str]) -> None:
    """Also where its body is no UTF-8."""
    raw = "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS h\r\n\r\nv=0"
    variables: dict[str, str | int] = {
        "$rs": 200,
        "$mb": raw,
        "$(mb{s.encode.hexa})": raw.encode().hex(),
    }
    ksr = connected(FakeKsr(variables=FROM_CLEARIP | variables, undecodable=undecodable))

    replies(ksr).take()

    [(name, made)] = ksr.calls
    assert name == "msg_set_buffer"
    assert made.startswith("SIP/2.0 502 Bad Gateway\r\nVia: SIP/2.0/TLS h\r\nReason: ")
    assert ksr.faults == 1


@pytest.mark.parametrize(
    ("status", "connection", "is_dropped"),
    [(200, CONNECTION, True), (200, 9, False), (302, 9, True), (200, 0, False)],
)
def test_stray_answer_of_clearip_is_dropped(
    status: int, connection: int, *, is_dropped: bool
) -> None:
    """Known by its connection; a redirection is dropped whoever sends it."""
    ksr = connected(FakeKsr(variables={"$rs": status, "$conid": connection, "$si": "10.0.0.1"}))

    replies(ksr).take_stray()

    assert ("set_drop" in ksr.names()) is is_dropped


@pytest.mark.parametrize(("call", "is_dropped"), [("call-1", False), ("call-2", True)])
def test_stray_answer_of_a_stranger_passes_when_it_proves_its_dialog(
    call: str, *, is_dropped: bool
) -> None:
    """The 200 of a target that comes after a restart; anything else could go anywhere."""
    token = KEYS.token("call-1", "caller")
    ksr = FakeKsr(
        variables={"$rs": 200, "$si": "192.0.2.9", "$ci": call, "$ft": "caller", "$tt": "target"},
        headers={"Record-Route": ["<sip:b;lr>, <sip:c;lr>", f"<sip:a;lr;dialog={token}>"]},
    )

    replies(ksr).take_stray()

    assert ("set_drop" in ksr.names()) is is_dropped


@pytest.mark.parametrize(
    ("status", "begins"),
    [(183, "SIP/2.0 100 "), (200, "SIP/2.0 503 "), (302, "SIP/2.0 503 "), (603, "SIP/2.0 503 ")],
)
@pytest.mark.parametrize("connection", [0, 9])
def test_response_that_is_not_clearips_steers_nothing(
    status: int, begins: str, connection: int
) -> None:
    """Whatever it says: a final one has the next site asked, and names where it came from."""
    raw = f"SIP/2.0 {status} X\r\nVia: SIP/2.0/TLS h\r\nContact: <sip:evil>\r\n\r\n"
    variables: dict[str, str | int] = {
        "$rs": status,
        "$mb": raw,
        "$conid": connection,
        "$si": "192.0.2.66",
    }
    ksr = connected(FakeKsr(variables=variables))

    replies(ksr).take()

    [(name, made)] = ksr.calls
    assert name == "msg_set_buffer"
    assert made.startswith(begins)
    assert "evil" not in made
    assert ("Connection-Lost: planted\r\n" in made) is (status >= 200)
    assert ksr.tables["counters"] == {"planted_responses": 1}
    assert "192.0.2.66" in ksr.logged[0]


def test_word_of_a_lost_connection_passes() -> None:
    """The leg sends it to the proxy itself, over any transport."""
    raw = "SIP/2.0 503 Service Unavailable\r\nConnection-Lost: 7\r\n\r\n"
    ksr = connected(FakeKsr(variables={"$rs": 503, "$mb": raw, "$conid": 0}))

    replies(ksr).take()

    assert "msg_set_buffer" not in ksr.names()


def test_connection_that_was_verified_is_remembered() -> None:
    """A response that is under way when the keeper takes it from the calls is ClearIP's still."""
    ksr = connected(FakeKsr(variables={**FROM_CLEARIP, "$rs": 302}))
    taken = replies(ksr)
    taken.take()
    ksr.tables["sites"].clear()

    taken.take()

    assert ksr.calls == []
