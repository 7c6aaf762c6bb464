"""What arrived, as values."""

import pytest

from clearip_proxy.answering import Pending
from clearip_proxy.branch_outcome import Canceled, NoResponse
from clearip_proxy.header_changes import ReceivedHeaders
from clearip_proxy.ksr.reader import KsrReader
from clearip_proxy.moment import Moment
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.routing import Request
from clearip_proxy.sip.message import SipResponse
from unit.kemi.fake_ksr import FakeKsr

NOW = Moment(5_000, 1_700_000_000)


def reader(ksr: FakeKsr) -> KsrReader:
    """A reader on a clock that stands still."""
    return KsrReader(ksr, lambda: NOW)


def test_request_is_read_with_its_values() -> None:
    """Kamailio's ints become booleans here and nowhere else."""
    ksr = FakeKsr(
        variables={
            "$rm": "INVITE",
            "$ru": "sip:1@x",
            "$si": "10.0.0.1",
            "$ci": "call-1",
            "$ft": "caller",
        },
        headers={"Proxy-Require": ["foo"], "Route": ["<sip:x;lr>"]},
        returns={"process_maxfwd": [-1], "sanity_check_defaults": [-1]},
    )

    assert reader(ksr).request() == Request(
        method="INVITE",
        uri="sip:1@x",
        source_address="10.0.0.1",
        call_id="call-1",
        from_tag="caller",
        hops_left=False,
        proxy_require="foo",
        is_well_formed=False,
        now=NOW,
    )


def test_request_inside_a_dialog_is_read_with_its_first_route() -> None:
    """The proof is there."""
    ksr = FakeKsr(
        variables={"$rm": "BYE", "$ru": "sip:1@x", "$si": "10.0.0.1", "$tt": "target"},
        headers={"Route": ["<sip:a;lr>,<sip:b;lr>", "<sip:c;lr>"]},
    )

    request = reader(ksr).request()

    assert (request.to_tag, request.route) == ("target", "<sip:a;lr>,<sip:b;lr>")


def test_pending_call_is_read_with_all_received_identities() -> None:
    """Each Identity of the request, in order."""
    ksr = FakeKsr(
        variables={"$ou": "sip:1@x", "$tu": "sip:1@to"},
        headers={"Identity": ["a.b.c", "d.e.f"], "P-Asserted-Identity": ["<tel:+1>"]},
    )

    assert reader(ksr).pending() == Pending(
        called_uri="sip:1@x",
        to_uri="sip:1@to",
        received=ReceivedHeaders(("a.b.c", "d.e.f"), ("<tel:+1>",)),
        now=NOW,
    )


def test_received_identities_are_bounded() -> None:
    """A request cannot keep a worker busy by its number of headers."""
    ksr = FakeKsr(headers={"Identity": ["a.b.c"] * 100})

    assert len(reader(ksr).pending().received.identities) == 16


def test_canceled_transaction_is_seen_before_any_response() -> None:
    """A late 302 must not be read as a route."""
    ksr = FakeKsr(
        variables={"$T_rpl($mb)": "SIP/2.0 302 Moved\r\n\r\n"}, returns={"t_is_canceled": [1]}
    )

    assert reader(ksr).branch_outcome() == Canceled()


def test_response_of_kamailios_own_is_no_response() -> None:
    """There is no message behind a timeout."""
    assert reader(FakeKsr()).branch_outcome() == NoResponse()


@pytest.mark.parametrize("undecodable", [frozenset(), frozenset({"$T_rpl($mb)"})])
def test_response_is_read_whole_in_any_encoding(undecodable: frozenset[str]) -> None:
    """Bytes that are no UTF-8 take the way through hexadecimal digits."""
    raw = "SIP/2.0 603 Network Blocked\r\nReason: SIP;cause=603\r\n\r\n"
    ksr = FakeKsr(
        variables={
            "$T_rpl($mb)": raw,
            "$(T_rpl($mb){s.encode.hexa})": raw.encode().hex(),
        },
        undecodable=undecodable,
    )

    outcome = reader(ksr).branch_outcome()

    assert isinstance(outcome, SipResponse)
    assert (outcome.status, outcome.reason_phrase) == (603, "Network Blocked")
    assert outcome.values("Reason") == ("SIP;cause=603",)


def test_missing_context_is_an_empty_one() -> None:
    """A transaction that has decided nothing yet."""
    assert reader(FakeKsr()).context() == ResponseContext()


def test_size_is_that_of_the_request_as_it_arrived() -> None:
    """In bytes; nothing where there is no message."""
    assert reader(FakeKsr(variables={"$ml": 1400})).size_bytes() == 1400
    assert reader(FakeKsr()).size_bytes() == 0


def test_request_uri_of_other_octets_than_utf8_is_read() -> None:
    """And refused by whoever decides, without an exception."""
    ksr = FakeKsr(
        variables={"$ru": "?", "$(ru{s.encode.hexa})": "7369703ae9"}, undecodable=frozenset({"$ru"})
    )

    assert reader(ksr).text("$ru") == "sip:\udce9"


def test_header_of_other_octets_than_utf8_is_read() -> None:
    """A name in Latin-1 must not cost the call."""
    ksr = FakeKsr(
        headers={"P-Asserted-Identity": ["<tel:+1>", "?"]},
        variables={"$(hdr(P-Asserted-Identity)[1]{s.encode.hexa})": "22e922203c7369703a313e"},
        undecodable=frozenset({"P-Asserted-Identity[1]"}),
    )

    received = reader(ksr).pending().received

    assert received.asserted_identities == ("<tel:+1>", '"\udce9" <sip:1>')


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_response_in_place_of_a_planted_one_is_no_silence(transport: str) -> None:
    """Wherever the planted one came from."""
    raw = "SIP/2.0 503 Service Unavailable\r\nConnection-Lost: planted\r\n\r\n"
    ksr = FakeKsr(variables={"$T_rpl($mb)": raw, "$T_rpl($proto)": transport})

    assert reader(ksr).branch_outcome() == NoResponse(was_planted=True)


@pytest.mark.parametrize("status_line", ["SIP/2.0 700 No", "SIP/2.0 999", "no status line"])
def test_response_that_is_none_counts_as_no_response(status_line: str) -> None:
    """Kamailio takes any three digits for a final response; there is no class from 700 on."""
    ksr = FakeKsr(variables={"$T_rpl($mb)": f"{status_line}\r\n\r\n"})

    assert reader(ksr).branch_outcome() == NoResponse()
