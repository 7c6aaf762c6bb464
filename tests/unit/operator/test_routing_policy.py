"""What the routing script reads: every part of its policy, in a form that it takes."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from clearip_proxy.policy import (
    ClearIpPolicy,
    DisplayNameRule,
    RoutingPolicy,
    SearchPolicy,
    policy_from,
)
from clearip_proxy.verdict import Verdict
from inline_proxy.config import parse_config
from inline_proxy.lab.certificates import CertificateAuthority
from inline_proxy.listeners import Listener
from inline_proxy.routing_policy import EventPlaces, policy_values

LISTENERS = (
    Listener("udp", ip_address("192.0.2.1"), 5060, "SIP.example.net"),
    Listener("tls", ip_address("2001:db8::1"), 5061),
)


EVENTS = EventPlaces(Path("/state/events"), Path("/run/events"))
EVERYTHING = r"""
listen: {first_message_s: 10}
overload: {max_cps: 200, memory_percent: 70}
cluster: {address: 192.0.2.11, peers: [192.0.2.12], port: 5070}
clearip:
  sites: [{host: a.example}]
  domain: a.example
  partition: outbound
  tls: {server_name: tls.a.example}
  response_timeout_ms: 900
  keepalive_s: 45
  on_no_route: default_route
  on_unavailable: default_route
  answers: {403: refuse}
  own_domains: [example.org]
  diversion_hosts: [screening.example.net]
  to_uri_is_route: true
  send_source_device: true
trusted: [192.0.2.0/24]
default_route: ["sip:b.example"]
emergency: {numbers: ["110"], prefixes: ["0"], route: ["sip:c.example"]}
targets:
  no_response_timeout_ms: 700
  answer_timeout_ms: 7000
  search_timeout_ms: 70000
  advance_on: [480]
  aliases: {TG-West: "sip:d.example"}
  identity_max_age_s: 45
  large_request: udp
  on_stale_identity: ask_again
headers: {copy: [Date], identity: append, display_names: [{match: "V", replace: "W"}]}
log: {mask_numbers: true}
records: {enabled: false}
"""


def policy_of(text: str, listeners: tuple[Listener, ...] = LISTENERS) -> RoutingPolicy:
    """The policy as the routing script reads it, through JSON."""
    values = json.loads(json.dumps(policy_values(parse_config(text), listeners, EVENTS)))
    return policy_from(values, [text.encode()])


@pytest.mark.parametrize(
    ("text", "part", "field", "value"),
    [
        ("clearip: {domain: SIP.Example.NET}", "clearip", "domain", "sip.example.net"),
        ("clearip: {tls: {server_name: a.example}}", "clearip", "server_name", "a.example"),
        ("clearip: {response_timeout_ms: 900}", "clearip", "response_timeout_ms", 900),
        ("clearip: {partition: outbound}", "clearip", "partition", "outbound"),
        (
            "{clearip: {on_no_route: default_route}, default_route: ['sip:a.example']}",
            "clearip",
            "on_no_route",
            "default_route",
        ),
        (
            "{clearip: {on_unavailable: default_route}, default_route: ['sip:a.example']}",
            "clearip",
            "on_unavailable",
            "default_route",
        ),
        (
            "clearip: {sites: [{host: a.example}, {host: '2001:db8::5', port: 5071}]}",
            "clearip",
            "sites",
            ("sip:a.example:5061;transport=tls", "sip:[2001:db8::5]:5071;transport=tls"),
        ),
        ("targets: {no_response_timeout_ms: 700}", "search", "no_response_timeout_ms", 700),
        ("targets: {answer_timeout_ms: 7000}", "search", "answer_timeout_ms", 7000),
        ("targets: {search_timeout_ms: 70000}", "search", "search_timeout_ms", 70000),
        ("listen: {tcp: null}", "search", "large_request", "udp"),
        ("targets: {advance_on: [480, 503]}", "search", "advance_on", frozenset({480, 503})),
        ("emergency: {numbers: ['110']}", "emergency", "numbers", frozenset({"110"})),
        (
            "clearip: {answers: {403: refuse, 500: no_route}}",
            "clearip",
            "answers",
            {403: Verdict.REFUSE, 500: Verdict.NO_ROUTE},
        ),
        (
            "clearip: {diversion_hosts: [A.example, '2001:db8::7']}",
            "clearip",
            "diversion_hosts",
            frozenset({"a.example", "[2001:db8::7]"}),
        ),
        ("clearip: {own_domains: [A.example]}", "clearip", "own_domains", ("a.example",)),
        ("clearip: {to_uri_is_route: true}", "clearip", "to_uri_is_route", True),
        ("clearip: {send_source_device: true}", "clearip", "send_source_device", True),
        (
            "targets: {aliases: {TG-West: 'sip:A.example'}}",
            "search",
            "aliases",
            {"tg-west": "sip:A.example"},
        ),
        ("targets: {identity_max_age_s: 45}", "search", "identity_max_age_s", 45),
        ("targets: {on_stale_identity: ask_again}", "search", "on_stale_identity", "ask_again"),
        ("emergency: {prefixes: ['+1', '9']}", "emergency", "prefixes", ("+1", "9")),
        (
            "headers: {display_names: [{match: '^(V)', replace: '\\1x'}]}",
            "headers",
            "display_names",
            (DisplayNameRule(re.compile("^(V)"), "\\1x"),),
        ),
        ("emergency: {route: ['sip:a.example']}", "emergency", "route", ("sip:a.example",)),
        ("headers: {copy: [Identity, Date]}", "headers", "copied", ("Identity", "Date")),
        ("headers: {identity: append}", "headers", "identity_mode", "append"),
        ("log: {mask_numbers: true}", "log", "mask_numbers", True),
    ],
)
def test_key_reaches_the_policy(text: str, part: str, field: str, value: object) -> None:
    """Typed as the core wants it; the default is another value."""
    assert getattr(getattr(policy_of(text), part), field) == value
    assert getattr(getattr(policy_of(""), part), field) != value


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every field of a policy that is no part of it, by its path."""
    if not is_dataclass(value):
        yield path, value
        return
    for field in fields(value):
        yield from leaves(getattr(value, field.name), f"{path}.{field.name}".removeprefix("."))


def test_every_field_of_the_policy_can_be_configured(tmp_path: Path) -> None:
    """Each has another value than with an empty file; what the host alone decides aside."""
    pem, key = tmp_path / "pem", tmp_path / "key"
    CertificateAuthority.create("A").issue().write(pem, key)
    files = f"ca_file: {pem}, certificate: {pem}, private_key: {key}"
    everything = EVERYTHING.replace("tls: {", f"tls: {{{files}, ")
    configured = dict(leaves(policy_of(everything, LISTENERS)))
    default = dict(leaves(policy_of("", (Listener("tcp", ip_address("192.0.2.9"), 5080),))))

    configurable = {k: v for k, v in configured.items() if not k.startswith("sending.")}
    unchanged = {path for path, value in configurable.items() if value == default.get(path)}

    assert len(configured) > 20
    assert unchanged == set()


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_can_be_configured(verdict: Verdict) -> None:
    """The words of the configuration are those of the core."""
    assert policy_of(f"clearip: {{answers: {{500: {verdict}}}}}").clearip.answers[500] is verdict


def test_default_route_reaches_the_policy() -> None:
    """In order."""
    policy = policy_of("default_route: ['sip:b.example', 'sip:a.example']")

    assert policy.default_route == ("sip:b.example", "sip:a.example")


def test_trusted_source_reaches_the_policy_with_its_name_and_partition() -> None:
    """Those without are called by their network."""
    policy = policy_of(
        "trusted: [10.0.0.0/8, {network: 10.1.0.0/16, name: west, partition: inbound}]"
    )

    named, unnamed, stranger = policy.trusted["10.1.2.3"], policy.trusted["10.2.0.1"], "192.0.2.99"

    assert named is not None
    assert (named.name, named.partition) == ("west", "inbound")
    assert unnamed is not None
    assert (unnamed.name, unnamed.partition) == ("10.0.0.0/8", None)
    assert policy.trusted[stranger] is None


def test_listeners_of_the_proxy_are_trusted() -> None:
    """The host itself may ask how it is."""
    policy = policy_of("trusted: [10.0.0.0/8]")

    assert policy.trusted["192.0.2.1"] is not None
    assert policy.trusted["2001:db8::1"] is not None


def test_listener_inside_a_trusted_network_keeps_what_is_said_of_that() -> None:
    """A caller on the proxy's own host is one of that network."""
    own = policy_of("trusted: [{network: 192.0.2.0/24, partition: inbound}]").trusted["192.0.2.1"]

    assert own is not None
    assert own.partition == "inbound"


def test_own_sockets_are_the_addresses_and_what_they_advertise() -> None:
    """In lower case, as the core compares them: a Contact that leads here is no route."""
    assert policy_of("").own == {
        "192.0.2.1:5060",
        "[2001:db8::1]:5061",
        "sip.example.net:5060",
    }


@pytest.mark.parametrize(
    ("part", "policy"), [("clearip", ClearIpPolicy), ("targets", SearchPolicy)]
)
def test_every_field_of_the_policy_is_written(part: str, policy: type[Any]) -> None:
    """A field with a default would otherwise be forgotten without a word."""
    written = policy_values(parse_config(""), LISTENERS)[part]

    assert set(written) == {field.name for field in fields(policy)}


def test_site_uris_name_the_transport() -> None:
    """ClearIP is asked over TLS and nothing else."""
    written = policy_values(parse_config(""), LISTENERS)["clearip"]["sites"]

    assert written == ("sip:sip.clearip.com:5061;transport=tls",)


@pytest.mark.parametrize(
    ("listeners", "place"),
    [
        (LISTENERS, {"transport": "udp", "host": "192.0.2.1", "port": 5060}),
        (LISTENERS[1:], None),
        (
            (Listener("tcp", ip_address("2001:db8::1"), 5070), *LISTENERS[1:]),
            {"transport": "tcp", "host": "2001:db8::1", "port": 5070},
        ),
    ],
)
def test_leg_knows_where_the_proxy_takes_a_response(
    listeners: tuple[Listener, ...], place: object
) -> None:
    """Over UDP where there is a choice, and never over TLS."""
    assert policy_values(parse_config(""), listeners)["clearip"]["receives_at"] == place
