"""The policy file, and who is a trusted source."""

import json
import re
from pathlib import Path

import pytest

from clearip_proxy.location.sending import SendingPolicy
from clearip_proxy.policy import DisplayNameRule, EmergencyPolicy, RoutingPolicy, load_policy
from clearip_proxy.sources import REMEMBERED
from clearip_proxy.verdict import Verdict

VALUES = {
    "clearip": {
        "domain": "sip.clearip.com",
        "server_name": "sip.clearip.com",
        "partition": "outbound",
        "response_timeout_ms": 2000,
        "on_no_route": "relay",
        "on_unavailable": "default_route",
        "sites": ["sip:192.0.2.1:5061;transport=tls"],
        "keepalive_s": 20,
        "answers": {"403": "no_route"},
        "own_domains": ["clearip.com"],
        "diversion_hosts": ["captcha.clearip.com"],
        "to_uri_is_route": True,
        "send_source_device": True,
        "ca_file": "system",
        "certificate": None,
        "private_key": None,
        "ip_versions": [4, 6],
        "receives_at": {"transport": "udp", "host": "192.0.2.9", "port": 5060},
    },
    "targets": {
        "no_response_timeout_ms": 4000,
        "answer_timeout_ms": 60000,
        "search_timeout_ms": 120000,
        "advance_on": [503, 500],
        "aliases": {"tg1": "sip:192.0.2.5"},
        "identity_max_age_s": 45,
        "on_stale_identity": "ask_again",
    },
    "trusted": [
        {"network": "10.0.0.0/8", "name": "wide", "partition": None},
        {"network": "10.1.0.0/16", "name": "narrow", "partition": "inbound"},
        {"network": "2001:db8::/32", "name": "six", "partition": None},
    ],
    "default_route": ["sip:gw.example.net"],
    "emergency": {"numbers": ["911"], "prefixes": ["+1"], "route": []},
    "headers": {
        "copy": ["Identity"],
        "identity": "append",
        "display_names": [{"match": "^x", "replace": "y"}],
    },
    "own": ["192.0.2.9:5060"],
    "log": {"mask_numbers": True},
    "overload": {"max_cps": 200, "memory_percent": 70},
    "sending": {
        "addresses": {"192.0.2.9": "192.0.2.9"},
        "ports": {"tls": 5061},
        "names_udp": True,
    },
    "events": "/state/events",
    "event_memory": "/run/events",
    "first_message_s": 15,
}


@pytest.fixture
def policy(tmp_path: Path) -> RoutingPolicy:
    """The policy that a file with `VALUES` holds."""
    file = tmp_path / "proxy.json"
    file.write_text(json.dumps(VALUES))
    file.with_name("dialog-keys").write_text("aa\nbb\n")
    return load_policy(file)


def test_policy_file_is_read_with_types(policy: RoutingPolicy) -> None:
    """Every part arrives where the decisions look for it."""
    assert policy.clearip.partition == "outbound"
    assert policy.clearip.sites == ("sip:192.0.2.1:5061;transport=tls",)
    assert policy.search.advance_on == {500, 503}
    assert policy.default_route == ("sip:gw.example.net",)
    assert policy.clearip.keepalive_s == 20
    assert policy.clearip.answers == {403: Verdict.NO_ROUTE}
    assert policy.clearip.diversion_hosts == {"captcha.clearip.com"}
    assert policy.clearip.to_uri_is_route
    assert policy.clearip.send_source_device
    assert policy.clearip.domains == ("sip.clearip.com", "clearip.com")
    assert policy.search.aliases == {"tg1": "sip:192.0.2.5"}
    assert policy.search.on_stale_identity == "ask_again"
    assert policy.dialog_keys.keys == (b"\xaa", b"\xbb")
    assert policy.emergency == EmergencyPolicy(frozenset({"911"}), ("+1",), (), "911")
    assert policy.headers.copied == ("Identity",)
    assert policy.headers.identity_mode == "append"
    assert policy.headers.display_names == (DisplayNameRule(re.compile("^x"), "y"),)
    assert policy.own == {"192.0.2.9:5060"}
    assert policy.log.mask_numbers
    assert policy.sending == SendingPolicy(
        {"192.0.2.9": "192.0.2.9"}, {"tls": 5061}, names_udp=True
    )


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
    source = policy.trusted[address]

    assert (source.name if source else None) == name


def test_many_addresses_do_not_fill_the_memory(policy: RoutingPolicy) -> None:
    """What is remembered of strangers is bounded, and the answers stay right."""
    for number in range(REMEMBERED + 10):
        assert policy.trusted[f"203.0.{number // 256}.{number % 256}"] is None

    assert policy.trusted["10.2.3.4"] is not None
