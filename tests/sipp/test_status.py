"""`status`, `doctor` and the HTTP server of `admin.listen`, beside a proxy that runs."""

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.control import control_socket
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.running import COMMAND, ENVIRONMENT
from sipp.sipp import Sipp
from sipp.waiting import wait_until

ADMIN = "127.0.0.1:7990"


def asked(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Call the operator's command."""
    return subprocess.run(
        [*COMMAND, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


def fetched(path: str) -> tuple[int, str]:
    """What the HTTP server says."""
    try:
        with urllib.request.urlopen(f"http://{ADMIN}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_running_proxy_is_seen_from_outside(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """By people, by machines, by Prometheus' own checker; a call is in every count."""
    proxy = proxy_with(admin={"listen": ADMIN})
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    assert all_succeeded(sipp.play("uac-answered", to=proxy), target)
    wait_until(lambda: fetched("/healthz") == (200, "healthy\n"), "every site is up")
    proxy.wait_for_record(sipp.number)

    runtime = str(control_socket(proxy).parent)
    people, machines = (
        asked("status", "--runtime-dir", runtime),
        asked("status", "--json", "--admin", ADMIN),
    )

    assert (people.returncode, machines.returncode) == (0, 0), people.stdout + machines.stdout
    assert people.stdout.startswith("healthy: inline-proxy ")
    status = json.loads(machines.stdout)
    assert status["counters"]["calls"] == {"routed": 1}
    assert json.loads(fetched("/status.json")[1])["listeners"] == status["listeners"]
    code, metrics = fetched("/metrics")
    assert code == 200
    assert 'inline_proxy_calls_total{disposition="routed",source="127.0.0.0/9"} 1.0' in metrics
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=metrics, text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_proxy_that_does_not_run_is_told_as_such(tmp_path: Path) -> None:
    """With the exit code that says so."""
    answer = asked("status", "--json", "--runtime-dir", str(tmp_path))

    assert answer.returncode == 3
    assert json.loads(answer.stdout)["health"] == "not_running"


def test_doctor_reaches_every_site(proxy: Proxy) -> None:
    """The ports are taken by the proxy itself, which is what it then says; nothing else is."""
    answer = asked("doctor", str(proxy.directory / "config.yaml"))

    faults = [line for line in answer.stdout.splitlines() if line.startswith("FAULT")]
    assert answer.returncode == 1
    assert faults
    assert all("is taken by kamailio" in line and "; stop that" in line for line in faults)
    assert answer.stdout.count("answers OPTIONS with") == 2


def test_doctor_names_the_remedy_for_a_site_with_another_name(proxy: Proxy, tmp_path: Path) -> None:
    """The certificate is ClearIP's, and not that of the name that is asked for."""
    config = json.loads((proxy.directory / "config.yaml").read_text())
    config["clearip"]["tls"]["server_name"] = "other.example.net"
    (tmp_path / "config.yaml").write_text(json.dumps(config))

    answer = asked("doctor", str(tmp_path / "config.yaml"))

    assert answer.returncode == 1
    assert answer.stdout.count("TLS refused: Hostname mismatch") == 2
    assert "clearip.tls.server_name be its name" in answer.stdout
