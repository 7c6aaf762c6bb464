"""The page `docs/redirect-services.md`: its example is a configuration that works."""

import json
import re
from pathlib import Path

import pytest

from clearip_proxy.answering import Pending, after_clearip
from clearip_proxy.decisions import Decision, Fork, Noted, RelayResponse
from clearip_proxy.policy import RoutingPolicy, policy_from
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sip.message import parse_response
from inline_proxy.certificates import self_signed
from inline_proxy.config import ProxyConfig, parse_config
from inline_proxy.paths import ROOT
from inline_proxy.routing_policy import policy_values

PENDING = Pending(called_uri="sip:+1555@192.0.2.1", to_uri="sip:+1555@switch.example.net")
ASKED = ResponseContext(clearip_uri="sip:+1555@redirect.example.net")


@pytest.fixture
def config(tmp_path: Path) -> ProxyConfig:
    """The example, with a file where it names one."""
    page = (ROOT / "docs" / "redirect-services.md").read_text(encoding="utf-8")
    [example] = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    authorities = tmp_path / "authorities.pem"
    self_signed(["redirect.example.net"]).write(authorities, tmp_path / "authorities.key")
    text, replaced = re.subn(r"/etc/inline-proxy/tls/\S+", str(authorities), example)
    assert replaced == 1
    return parse_config(text)


@pytest.fixture
def policy(config: ProxyConfig) -> RoutingPolicy:
    """The example as the routing script reads it."""
    return policy_from(json.loads(json.dumps(policy_values(config, ()))))


def step_after(policy: RoutingPolicy, status: int, *headers: str) -> Decision:
    """What follows an answer of the service."""
    raw = "\r\n".join((f"SIP/2.0 {status} Phrase", *headers, "", ""))
    decision = after_clearip(parse_response(raw), PENDING, ASKED, policy)
    assert isinstance(decision, Noted)
    return decision.decision


def target_after(policy: RoutingPolicy, status: int, *headers: str) -> str:
    """The first target after an answer of the service."""
    decision = step_after(policy, status, *headers)
    assert isinstance(decision, Fork)
    return decision.target


def test_example_changes_what_another_service_needs(config: ProxyConfig) -> None:
    """None of the keys that the page is about keeps ClearIP's default."""
    default = ProxyConfig()

    same = {
        name
        for name in (
            *("sites", "domain", "own_domains", "diversion_hosts", "to_uri_is_route"),
            *("send_source_device", "on_no_route", "on_unavailable", "answers"),
        )
        if getattr(config.clearip, name) == getattr(default.clearip, name)
    }

    assert same == set()
    assert config.clearip.tls.ca_file != default.clearip.tls.ca_file
    assert config.clearip.tls.server_name != default.clearip.tls.server_name
    assert config.headers.copy != default.headers.copy


def test_redirection_of_another_service_is_followed(policy: RoutingPolicy) -> None:
    """With the header fields that the service returns."""
    decision = step_after(
        policy, 302, "Contact: <sip:+1555@carrier.example.org>", "X-Fraud-Score: 7", "Date: now"
    )

    assert isinstance(decision, Fork)
    assert decision.target == "sip:+1555@carrier.example.org"
    assert decision.context.changes[decision.context.current].added == (("X-Fraud-Score", "7"),)


@pytest.mark.parametrize(
    ("contact", "target"),
    [
        ("sip:+1555@redirect.example.net", "sip:+1555@gateway.example.net"),
        ("sip:+1555@west.redirect.example.net", "sip:+1555@gateway.example.net"),
        ("sip:+1555@screening.example.net", "sip:+1555@screening.example.net"),
        ("sip:+1555@switch.example.net", "sip:+1555@switch.example.net"),
    ],
)
def test_contact_of_another_service_leads_where_it_is_meant_to(
    policy: RoutingPolicy, contact: str, target: str
) -> None:
    """Back to itself is no route; its screening host and the To URI are."""
    assert target_after(policy, 302, f"Contact: <{contact}>") == target


@pytest.mark.parametrize("status", [404, 437, 603])
def test_refusal_of_another_service_goes_to_the_caller(policy: RoutingPolicy, status: int) -> None:
    """As it came, though there is a default route."""
    assert step_after(policy, status) == RelayResponse()


@pytest.mark.parametrize("status", [480, 503])
def test_call_that_another_service_leaves_alone_takes_the_default_route(
    policy: RoutingPolicy, status: int
) -> None:
    """Whether it has no route, or has no time."""
    assert target_after(policy, status) == "sip:+1555@gateway.example.net"
