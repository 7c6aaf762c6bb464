"""The alert rules: valid, silent for a healthy proxy, loud where they should be."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from inline_proxy.paths import ROOT

RULES = ROOT / "monitoring" / "alerts.yaml"
HEALTHY = ROOT / "tests" / "unit" / "observation" / "alerts-test.yaml"
INSTANCE = 'instance="a"'
FIRING: dict[str, list[tuple[str, str]]] = {
    "InlineProxyDown": [("inline_proxy_up{%s}", "0x120")],
    "InlineProxyNotScraped": [('up{%s,job="inline-proxy"}', "0x120")],
    "InlineProxyRestarted": [("inline_proxy_uptime_seconds{%s}", "0+60x94 0+60x25")],
    "NoClearIpSiteUsable": [('inline_proxy_clearip_site_up{%s,site="one"}', "0x120")],
    "ClearIpRefuses": [
        ('inline_proxy_clearip_responses_total{%s,site="one",code="403"}', "0+1x120")
    ],
    "UnsignedShareUp": [
        ('inline_proxy_calls_total{%s,disposition="signed",source="s"}', "0+90x120"),
        ('inline_proxy_calls_total{%s,disposition="unsigned",source="s"}', "0+10x120"),
    ],
    "SignedShareDown": [
        ('inline_proxy_calls_total{%s,disposition="signed",source="s"}', "0+90x80 7200x40"),
        ('inline_proxy_calls_total{%s,disposition="routed",source="s"}', "0+10x80 900+90x40"),
    ],
    "CertificateExpires": [
        ('inline_proxy_certificate_expiry_timestamp_seconds{%s,certificate="proxy"}', "80000x120")
    ],
    "TargetFailsEverything": [
        ('inline_proxy_target_attempts_total{%s,target="t",result="failed"}', "0+50x120")
    ],
    "EventsLost": [('inline_proxy_occurrences_total{%s,what="events_lost"}', "0+1x120")],
    "ConnectionLimitNear": [
        ('inline_proxy_connections{%s,transport="tls"}', "90x120"),
        ("inline_proxy_connections_limit{%s}", "100x120"),
    ],
    "LimitsHit": [('inline_proxy_occurrences_total{%s,what="calls_over_limit"}', "0+1x120")],
    "ClusterNodeSilent": [('inline_proxy_cluster_node_heard{%s,node="192.0.2.2"}', "0x120")],
    "MemoryGrows": [
        ("inline_proxy_shared_memory_used_bytes{%s}", "40+0.4x120"),
        ("inline_proxy_shared_memory_size_bytes{%s}", "100x120"),
    ],
}


def rules() -> list[dict[str, Any]]:
    """Every rule."""
    (group,) = YAML(typ="safe").load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Call Prometheus' own checker."""
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)


def test_rules_are_valid() -> None:
    """To Prometheus itself."""
    assert promtool("check", "rules", str(RULES)).returncode == 0


def test_nothing_fires_for_a_healthy_proxy(tmp_path: Path) -> None:
    """One site of two down, one call in a hundred unsigned, a target that fails most calls."""
    (tmp_path / "alerts.yaml").write_text(RULES.read_text())
    (tmp_path / "test.yaml").write_text(HEALTHY.read_text())

    tested = promtool("test", "rules", str(tmp_path / "test.yaml"))

    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("alert", FIRING)
def test_alert_fires(alert: str, tmp_path: Path) -> None:
    """Told apart from silence by an expectation of none, which must fail."""
    (tmp_path / "alerts.yaml").write_text(RULES.read_text())
    series = [{"series": name % INSTANCE, "values": values} for name, values in FIRING[alert]]
    silent = [{"eval_time": "100m", "alertname": alert, "exp_alerts": []}]
    case = {"interval": "1m", "input_series": series, "alert_rule_test": silent}
    test = {"rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "test.yaml").write_text(json.dumps(test))

    tested = promtool("test", "rules", str(tmp_path / "test.yaml"))

    assert tested.returncode == 1
    assert f'alertname="{alert}"' in tested.stdout + tested.stderr


def test_every_alert_is_tested_and_has_a_section_in_the_runbook() -> None:
    """At three in the morning nobody wants to guess."""
    runbook = (ROOT / "docs" / "runbook.md").read_text()

    names = [rule["alert"] for rule in rules()]

    assert set(names) == set(FIRING)
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
        assert f"\n## {rule['alert']}\n" in runbook
