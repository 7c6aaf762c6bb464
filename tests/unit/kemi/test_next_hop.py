"""Where a branch is really sent."""

from dataclasses import replace

import pytest

from clearip_proxy.location.next_hop import needs_look_up, outgrows_udp, over_tcp
from clearip_proxy.policy import SearchPolicy
from clearip_proxy.sip.uri import parse_uri

POLICY = SearchPolicy(4_000, 60_000, 120_000, frozenset())


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:1@gw.example.net", True),
        ("sip:1@trunk-7", True),
        ("sip:1@192.0.2.1:5080", False),
        ("sip:1@[2001:db8::1]", False),
    ],
)
def test_only_names_need_a_look_up(uri: str, *, expected: bool) -> None:
    """An address is where it is."""
    assert needs_look_up(parse_uri(uri)) is expected


@pytest.mark.parametrize(
    ("uri", "size", "expected"),
    [
        ("sip:1@192.0.2.1", 1050, False),
        ("sip:1@192.0.2.1", 1051, True),
        ("sip:1@192.0.2.1;transport=UDP", 1051, True),
        ("sip:1@192.0.2.1;transport=tcp", 9000, False),
        ("sip:1@192.0.2.1;transport=tls", 9000, False),
        ("sips:1@192.0.2.1", 9000, False),
    ],
)
def test_large_request_outgrows_udp_alone(uri: str, size: int, *, expected: bool) -> None:
    """1,300 bytes, with what the proxy adds (RFC 3261 §18.1.1)."""
    assert outgrows_udp(parse_uri(uri), size, 0, POLICY) is expected
    assert outgrows_udp(parse_uri(uri), size - 100, 100, POLICY) is expected


def test_large_request_stays_on_udp_when_configured() -> None:
    """Some carriers take nothing else, and reassemble."""
    policy = replace(POLICY, large_request="udp")

    assert not outgrows_udp(parse_uri("sip:1@192.0.2.1"), 9000, 0, policy)


@pytest.mark.parametrize(
    ("uri", "hop"),
    [
        ("sip:1@192.0.2.1", "sip:192.0.2.1;transport=tcp"),
        ("sip:192.0.2.1:5070;transport=udp", "sip:192.0.2.1:5070;transport=tcp"),
        ("sip:1@[2001:DB8::1]:5070", "sip:[2001:db8::1]:5070;transport=tcp"),
    ],
)
def test_same_place_over_tcp(uri: str, hop: str) -> None:
    """Host and port stay."""
    assert over_tcp(parse_uri(uri)) == hop
