"""The role lays down dashboard and alerts where it is asked to, here in folders of this machine."""

import json
from pathlib import Path

from hosts.playbook import Recap, played


def monitoring(directory: Path, **variables: str) -> Recap:
    """Run the role's part on this machine."""
    role = {"name": "inline_proxy", "tasks_from": "monitoring"}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.include_role": role}],
        "vars": variables,
    }
    playbook = directory / "play.yml"
    playbook.write_text(json.dumps([play]))  # JSON is YAML
    return played("-i", "localhost,", playbook)


def test_dashboard_and_alerts_are_laid_down_when_asked_for(tmp_path: Path) -> None:
    """And a second run changes nothing."""
    (tmp_path / "rules").mkdir()
    places = {
        "inline_proxy_grafana_provisioning": str(tmp_path / "provisioning"),
        "inline_proxy_grafana_dashboards": str(tmp_path / "dashboards"),
        "inline_proxy_prometheus_rules": str(tmp_path / "rules"),
    }

    first, second = monitoring(tmp_path, **places), monitoring(tmp_path, **places)

    assert first.failed == 0, first.output
    assert (second.failed, second.changed) == (0, 0), second.output
    dashboard = json.loads((tmp_path / "dashboards" / "inline-proxy.json").read_text())
    assert dashboard["uid"] == "clearip-inline-proxy"
    provider = (tmp_path / "provisioning" / "dashboards" / "inline-proxy.yaml").read_text()
    assert f"path: {tmp_path / 'dashboards'}" in provider
    assert "alert: InlineProxyDown" in (tmp_path / "rules" / "inline-proxy.yaml").read_text()


def test_nothing_is_laid_down_otherwise(tmp_path: Path) -> None:
    """Whoever has neither Grafana nor Prometheus on the host gets no folders of theirs."""
    recap = monitoring(tmp_path)

    assert (recap.failed, recap.changed) == (0, 0), recap.output
