"""The policy file, and who is a trusted source."""

import json
from pathlib import Path

import pytest

from clearip_proxy.policy import RoutingPolicy, load_policy

VALUES = {
    "clearip": {
        "domain": "sip.clearip.com",
        "server_name": "sip.clearip.com",
        "partition": "outbound",
        "response_timeout_ms": 2000,
        "on_no_route": "relay",
        "on_unavailable": "default_route",
        "sites": ["sip:192.0.2.1:5061;transport=tls"],
    },
    "targets": {
        "no_response_timeout_ms": 4000,
        "answer_timeout_ms": 60000,
        "search_timeout_ms": 120000,
        "advance_on": [503, 500],
    },
    "trusted": [
        {"network": "10.0.0.0/8", "name": "wide", "partition": None},
        {"network": "10.1.0.0/16", "name": "narrow", "partition": "inbound"},
        {"network": "2001:db8::/32", "name": "six", "partition": None},
    ],
    "default_route": ["sip:gw.example.net"],
    "emergency": {"numbers": ["911"], "route": []},
    "headers": {"copy": ["Identity"], "identity": "append"},
    "own": ["192.0.2.9:5060"],
}


@pytest.fixture
def policy(tmp_path: Path) -> RoutingPolicy:
    """The policy that a file with `VALUES` holds."""
    file = tmp_path / "proxy.json"
    file.write_text(json.dumps(VALUES))
    return load_policy(file)


def test_policy_file_is_read_with_types(policy: RoutingPolicy) -> None:
    """Every part arrives where the decisions look for it."""
    assert policy.clearip.partition == "outbound"
    assert policy.clearip.sites == ("sip:192.0.2.1:5061;transport=tls",)
    assert policy.search.advance_on == {500, 503}
    assert policy.default_route == ("sip:gw.example.net",)
    assert policy.emergency_numbers == {"911"}
    assert policy.emergency_route == ()
    assert policy.copied_headers == ("Identity",)
    assert policy.identity_mode == "append"
    assert policy.own == {"192.0.2.9:5060"}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.2.3.4", "wide"),
        ("10.1.3.4", "narrow"),
        ("::ffff:10.1.3.4", "narrow"),
        ("2001:db8::7", "six"),
        ("192.0.2.1", None),
        ("2001:db9::7", None),
    ],
)
def test_source_belongs_to_the_narrowest_network(
    policy: RoutingPolicy, address: str, name: str | None
) -> None:
    """The most specific entry counts, in both families and in mapped addresses."""
    source = policy.source_of(address)

    assert (source.name if source else None) == name
