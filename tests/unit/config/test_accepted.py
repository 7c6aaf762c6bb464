"""Good values of every key, and what becomes of them."""

from ipaddress import ip_address, ip_network
from operator import attrgetter

import pytest

from inline_proxy.config import ProxyConfig, parse_config
from inline_proxy.config.admin import Socket
from inline_proxy.config.clearip import Site
from inline_proxy.config.headers import DisplayName
from inline_proxy.config.trusted import TrustedSource

V4 = ip_address("192.0.2.1")
V6 = ip_address("2001:db8::1")

ACCEPTED = [
    ("listen: {addresses: all}", "listen.addresses", "all"),
    ("listen: {addresses: [192.0.2.1]}", "listen.addresses", (V4,)),
    ("listen: {addresses: ['2001:DB8:0::1', eth0.7]}", "listen.addresses", (V6, "eth0.7")),
    ("listen:\n  addresses:\n    - ::1\n    - lo", "listen.addresses", (ip_address("::1"), "lo")),
    (
        "listen: {addresses: [enp0s31f6, br-1a2b, wg_0]}",
        "listen.addresses",
        ("enp0s31f6", "br-1a2b", "wg_0"),
    ),
    ("listen: {udp: 1}", "listen.udp", 1),
    ("listen: {udp: null}", "listen.udp", None),
    ("listen: {udp: 65535}", "listen.udp", 65535),
    ("listen: {tcp: ~}", "listen.tcp", None),
    ("listen: {udp: 5061}", "listen.udp", 5061),
    ("listen: {tls: 5099}", "listen.tls", 5099),
    ("listen: {advertise: sip.example.net}", "listen.advertise", "sip.example.net"),
    ("listen: {advertise: 192.0.2.1}", "listen.advertise", "192.0.2.1"),
    ("listen: {advertise: '2001:db8:0:0::1'}", "listen.advertise", "2001:db8::1"),
    ("clearip: {sites: [{host: a.example}]}", "clearip.sites", (Site("a.example", 5061),)),
    (
        "clearip: {sites: [{host: 192.0.2.1, port: 1}, {host: '2001:db8::1'}, {host: 192.0.2.1}]}",
        "clearip.sites",
        (Site("192.0.2.1", 1), Site("2001:db8::1", 5061), Site("192.0.2.1", 5061)),
    ),
    ("clearip: {domain: localhost}", "clearip.domain", "localhost"),
    ("clearip: {domain: xn--bcher-kva.1a.EXAMPLE}", "clearip.domain", "xn--bcher-kva.1a.EXAMPLE"),
    ("clearip: {partition: outbound}", "clearip.partition", "outbound"),
    ("clearip: {partition: a-1}", "clearip.partition", "a-1"),
    ("clearip: {tls: {ca_file: system}}", "clearip.tls.ca_file", "system"),
    ("clearip: {tls: {server_name: a.example}}", "clearip.tls.server_name", "a.example"),
    ("clearip: {response_timeout_ms: 100}", "clearip.response_timeout_ms", 100),
    ("clearip: {response_timeout_ms: 32000}", "clearip.response_timeout_ms", 32000),
    ("clearip: {keepalive_s: 1}", "clearip.keepalive_s", 1),
    (
        "{clearip: {on_no_route: default_route}, default_route: ['sip:a.b']}",
        "clearip.on_no_route",
        "default_route",
    ),
    (
        "{clearip: {on_unavailable: default_route}, default_route: ['sip:a.b']}",
        "clearip.on_unavailable",
        "default_route",
    ),
    ("clearip: {answers: {}}", "clearip.answers", {}),
    (
        "clearip: {answers: {302: no_route, 404: route, '500': refuse, 599: setup_fault}}",
        "clearip.answers",
        {302: "no_route", 404: "route", 500: "refuse", 599: "setup_fault"},
    ),
    ("clearip: {own_domains: []}", "clearip.own_domains", ()),
    ("clearip: {own_domains: [A.example, b]}", "clearip.own_domains", ("A.example", "b")),
    ("clearip: {diversion_hosts: []}", "clearip.diversion_hosts", ()),
    (
        "clearip: {diversion_hosts: [Captcha.example, 192.0.2.7, '2001:DB8:0::7']}",
        "clearip.diversion_hosts",
        ("Captcha.example", "192.0.2.7", "2001:db8::7"),
    ),
    ("clearip: {to_uri_is_route: true}", "clearip.to_uri_is_route", True),
    ("clearip: {send_source_device: true}", "clearip.send_source_device", True),
    ("trusted: [10.0.0.0/8]", "trusted", (TrustedSource(ip_network("10.0.0.0/8")),)),
    ("trusted: [192.0.2.1]", "trusted", (TrustedSource(ip_network("192.0.2.1/32")),)),
    ("trusted: ['2001:db8::1']", "trusted", (TrustedSource(ip_network("2001:db8::1/128")),)),
    ("trusted: [0.0.0.0/0]", "trusted", (TrustedSource(ip_network("0.0.0.0/0")),)),
    (
        "trusted: [{network: 192.0.2.10/32, name: switch-a, partition: inbound}, 192.0.2.0/24]",
        "trusted",
        (
            TrustedSource(ip_network("192.0.2.10/32"), "switch-a", "inbound"),
            TrustedSource(ip_network("192.0.2.0/24")),
        ),
    ),
    (
        "trusted: [{network: 10.0.0.0/8, max_cps: null, max_calls: null}]",
        "trusted",
        (TrustedSource(ip_network("10.0.0.0/8")),),
    ),
    (
        "default_route: ['sip:a.example', sips:b.example]",
        "default_route",
        ("sip:a.example", "sips:b.example"),
    ),
    ("emergency: {numbers: []}", "emergency.numbers", ()),
    (
        "emergency: {numbers: ['0911', '+112', '*31#']}",
        "emergency.numbers",
        ("0911", "+112", "*31#"),
    ),
    (
        "emergency: {prefixes: ['+', '+1', '9', '*67']}",
        "emergency.prefixes",
        ("+", "+1", "9", "*67"),
    ),
    (
        "emergency: {route: ['sip:192.0.2.1:5080;transport=tcp']}",
        "emergency.route",
        ("sip:192.0.2.1:5080;transport=tcp",),
    ),
    ("targets: {no_response_timeout_ms: 500}", "targets.no_response_timeout_ms", 500),
    ("targets: {answer_timeout_ms: 600000}", "targets.answer_timeout_ms", 600000),
    ("targets: {search_timeout_ms: 4000}", "targets.search_timeout_ms", 4000),
    ("targets: {advance_on: []}", "targets.advance_on", frozenset()),
    ("targets: {advance_on: [404, 503, 503]}", "targets.advance_on", frozenset((404, 503))),
    ("targets: {advance_on: [5xx, 408]}", "targets.advance_on", frozenset((408, *range(500, 600)))),
    (
        'targets: {advance_on: ["4XX"]}',
        "targets.advance_on",
        frozenset(range(400, 500)) - {401, 407, 486, 487},
    ),
    ("targets: {aliases: {}}", "targets.aliases", {}),
    (
        "targets: {aliases: {TG_west/1: 'sip:a.example', 4711: 'sip:b.example', gw.c: 'sip:d'}}",
        "targets.aliases",
        {"TG_west/1": "sip:a.example", "4711": "sip:b.example", "gw.c": "sip:d"},
    ),
    ("targets: {identity_max_age_s: 10}", "targets.identity_max_age_s", 10),
    ("targets: {identity_max_age_s: 3600}", "targets.identity_max_age_s", 3600),
    ("targets: {on_stale_identity: ask_again}", "targets.on_stale_identity", "ask_again"),
    ("targets: {large_request: tcp}", "targets.large_request", "tcp"),
    ("headers: {copy: []}", "headers.copy", ()),
    ("headers: {copy: [X-A, Reason]}", "headers.copy", ("X-A", "Reason")),
    ("headers: {identity: append}", "headers.identity", "append"),
    ("headers: {display_names: []}", "headers.display_names", ()),
    (
        r"headers: {display_names: [{match: '(?P<n>.+)', replace: '✔ \g<n>\\'}]}",
        "headers.display_names",
        (DisplayName("(?P<n>.+)", r"✔ \g<n>\\"),),
    ),
    (
        r"headers: {display_names: [{match: '^\[V\]', replace: ''}, {match: a, replace: b}]}",
        "headers.display_names",
        (DisplayName(r"^\[V\]", ""), DisplayName("a", "b")),
    ),
    ("admin: {listen: 127.0.0.1:8080}", "admin.listen", Socket(ip_address("127.0.0.1"), 8080)),
    ("admin: {listen: null}", "admin.listen", None),
]


@pytest.mark.parametrize(("text", "attribute", "value"), ACCEPTED)
def test_good_value_becomes_typed_and_leaves_all_else_at_its_default(
    text: str, attribute: str, value: object
) -> None:
    """The attributes of the model have the names of the keys."""
    config = parse_config(text)

    assert attrgetter(attribute)(config) == value


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n", "{}", "~", "listen:\n"])
def test_file_without_keys_is_the_default_configuration(text: str) -> None:
    """An empty file is a working production configuration."""
    assert parse_config(text) == ProxyConfig()


def test_default_configuration_is_the_documented_one() -> None:
    """The defaults on which whoever writes no file relies."""
    config = ProxyConfig()

    assert config == parse_config(DEFAULTS)


DEFAULTS = """
listen:
  addresses: all
  udp: 5060
  tcp: 5060
  tls: 5061
  advertise: null
  tls_certificate: null
  tls_private_key: null
clearip:
  sites:
    - {host: sip.clearip.com, port: 5061}
  domain: sip.clearip.com
  partition: null
  tls:
    ca_file: system
    server_name: sip.clearip.com
    certificate: null
    private_key: null
  response_timeout_ms: 2000
  keepalive_s: 30
  on_no_route: relay
  on_unavailable: relay
  answers: {}
  own_domains: [clearip.com]
  diversion_hosts: [captcha.clearip.com]
  to_uri_is_route: false
  send_source_device: false
trusted:
  - 127.0.0.0/8
  - ::1
  - 10.0.0.0/8
  - 172.16.0.0/12
  - 192.168.0.0/16
  - 100.64.0.0/10
  - fc00::/7
  - fe80::/10
default_route: []
emergency:
  numbers: ["911", "933", "112"]
  prefixes: []
  route: []
targets:
  no_response_timeout_ms: 4000
  answer_timeout_ms: 60000
  search_timeout_ms: 120000
  advance_on: [408, 500, 502, 503, 504]
  aliases: {}
  large_request: tcp
  identity_max_age_s: 60
  on_stale_identity: continue
headers:
  copy: [Identity, X-Identity, P-Asserted-Identity, X-Asserted-Identity, Call-Info, Date,
         P-Attestation-Indicator, P-Origination-ID]
  identity: replace
  display_names: []
admin:
  listen: 127.0.0.1:8080
"""
