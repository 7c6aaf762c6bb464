"""A real Prometheus scrapes the proxy under load; every query of dashboard and alerts answers."""

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from inline_proxy.lab.certificates import CertificateAuthority
from inline_proxy.paths import ROOT
from sipp.load.lab import Load, LoadLab
from sipp.proxy import Proxy, base_config, merged
from sipp.waiting import wait_until

ADMIN, PROMETHEUS = "127.0.0.1:7992", "127.0.0.1:7993"
MONITORING = ROOT / "monitoring"
LOAD = Load(calls=600, rate=60)
WINDOW = "10s"
"""What stands for the dashboard's own: several scrapes are in it."""
METRIC = re.compile(r"\binline_proxy_\w+")
YAML_OF = YAML(typ="safe")


def dashboard_queries() -> list[str]:
    """Every query of every panel, as Grafana sends it for all hosts."""
    dashboard = json.loads((MONITORING / "grafana" / "inline-proxy.json").read_text())
    return [
        target["expr"].replace("$__rate_interval", WINDOW).replace("$instance", ".*")
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


def rules() -> list[dict[str, Any]]:
    """Every rule of the alerts."""
    (group,) = YAML_OF.load((MONITORING / "alerts.yaml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def asked(path: str, **parameters: str) -> Any:  # noqa: ANN401 - as JSON holds it
    """Ask Prometheus' API; None where it does not answer yet."""
    url = f"http://{PROMETHEUS}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return json.load(response)["data"]
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.SERVICE_UNAVAILABLE:
            return None
        raise AssertionError(f"{parameters}: {error.read().decode()}") from error
    except OSError:
        return None


def values(query: str) -> list[float]:
    """What a query gives at this moment."""
    found = asked("query", query=query)
    return [float(each["value"][1]) for each in found["result"]] if found else []


@pytest.fixture
def proxy(lab: LoadLab, tmp_path: Path, authority: CertificateAuthority) -> Iterator[Proxy]:
    """A proxy that is scraped."""
    ca_file = tmp_path / "authority.pem"
    ca_file.write_bytes(authority.pem)
    directory = tmp_path / "proxy"
    directory.mkdir()
    cluster = {"address": "127.0.0.31", "peers": ["127.0.0.32"], "port": 5999}
    config = {"clearip": lab.as_clearip, "admin": {"listen": ADMIN}, "cluster": cluster}
    running = Proxy.start(5910, merged(base_config(5910, ca_file), config), directory)
    yield running
    running.stop()


@pytest.fixture
def prometheus(proxy: Proxy, tmp_path: Path) -> Iterator[None]:
    """Prometheus, with the project's own configuration but for the address and the pace."""
    assert proxy.process.poll() is None
    config = YAML_OF.load((MONITORING / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(MONITORING / "alerts.yaml")]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [ADMIN]
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    command = [
        *("prometheus", f"--config.file={tmp_path / 'prometheus.yml'}"),
        *(f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address={PROMETHEUS}"),
    ]
    with (tmp_path / "prometheus.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: values("inline_proxy_up") == [1.0], "the proxy has been scraped")
        yield
    finally:
        running.terminate()
        running.wait(15)


def silent(queries: list[str]) -> list[str]:
    """The queries that give no number at this moment; NaN, of a quotient of nothing, is none."""
    return [query for query in queries if not any(value == value for value in values(query))]  # noqa: PLR0124


@pytest.mark.usefixtures("prometheus")
def test_every_query_of_the_dashboard_answers_under_load(lab: LoadLab, proxy: Proxy) -> None:
    """With numbers that are those of the calls; and every rule is one that Prometheus runs."""
    caller = lab.place_calls(proxy.place("udp"), LOAD)
    assert caller.failed == 0

    wait_until(
        lambda: values("sum(inline_proxy_calls_total)") == [float(LOAD.calls)],
        "Prometheus has every call",
    )
    assert silent(dashboard_queries()) == []
    wanted = {name for rule in rules() for name in METRIC.findall(rule["expr"])}
    assert silent(sorted(wanted)) == []
    assert values('sum(inline_proxy_calls_total{disposition="signed"})') == [float(LOAD.calls)]
    (share,) = values("sum(inline_proxy_clearip_responses_total)")
    assert share == float(LOAD.calls)
    loaded = [rule for group in asked("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in loaded} == {rule["alert"] for rule in rules()}
    wait_until(
        lambda: (
            {rule["health"] for group in asked("rules")["groups"] for rule in group["rules"]}
            == {"ok"}
        ),
        "every rule was evaluated",
    )
    firing = [rule["name"] for rule in loaded if rule["state"] == "firing"]
    assert firing == []
