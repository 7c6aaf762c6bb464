"""Rules between keys: what they leave alone; what they refuse stands in `refused.txt`."""

import pytest

from unit.config.reading import faults_of

DOMAIN = ".".join(["a" * 60] * 4)

KEPT = [
    "listen: {udp: 5060, tcp: null, tls: null}",
    "listen: {udp: null, tcp: null}",
    "listen: {udp: 8080}",
    "listen: {tcp: 8080, addresses: [192.0.2.1]}",
    "{listen: {tcp: 8080}, admin: {listen: null}}",
    "{clearip: {on_no_route: default_route}, default_route: ['sip:a.example']}",
    "{clearip: {on_unavailable: default_route}, default_route: ['sip:a.example']}",
    f"clearip: {{domain: {DOMAIN}, partition: outbound}}",
]

MOOT = [
    ("listen: {udp: null, tcp: null, tls: x}", ["listen.tls"]),
    ("listen: {tcp: 5061, tls: x}", ["listen.tls"]),
    ("{clearip: {on_no_route: default_route}, default_route: [x]}", ["default_route[0]"]),
    ("{clearip: {on_no_route: default_route}, default_route: null}", ["default_route"]),
    (
        "targets: {search_timeout_ms: 200, no_response_timeout_ms: x}",
        ["targets.no_response_timeout_ms"],
    ),
    ("listen: 5060", ["listen"]),
]


@pytest.mark.parametrize("text", KEPT)
def test_keys_that_go_together_are_accepted(text: str) -> None:
    """The nearest neighbours of what is refused."""
    assert faults_of(text) == []


@pytest.mark.parametrize(("text", "paths"), MOOT)
def test_rule_about_a_faulty_key_says_nothing(text: str, paths: list[str]) -> None:
    """A key that is wrong by itself is not compared with others: one mistake, one fault."""
    assert [fault.partition(": ")[0] for fault in faults_of(text)] == paths


def test_http_server_on_every_address_may_not_take_a_sip_port() -> None:
    """The unspecified address is also that of the SIP listener."""
    faults = faults_of(
        "{listen: {tcp: 9090, addresses: [192.0.2.1]}, admin: {listen: '0.0.0.0:9090'}}"
    )

    assert "admin.listen: is the port of listen.tcp (found 9090); allowed: another port" in faults
