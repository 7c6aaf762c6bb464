"""`status`, `doctor` and the HTTP server of `admin.listen`, beside a proxy that runs."""

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

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


def doctor(
    directory: Path, config: dict[str, Any], *prefix: str, options: tuple[str, ...] = ()
) -> tuple[int, str]:
    """The exit code of `doctor`, and what it says."""
    (directory / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
    command = [*prefix, *COMMAND, "doctor", str(directory / "config.yaml"), *options]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def config_of(proxy: Proxy) -> dict[str, Any]:
    """A running proxy's configuration."""
    config: dict[str, Any] = json.loads((proxy.directory / "config.yaml").read_text())
    return config


def test_doctor_finds_nothing_wrong_beside_the_running_proxy(proxy: Proxy, tmp_path: Path) -> None:
    """Its ports are its own, every site answers, and the way to a target is wide enough."""
    config = {**config_of(proxy), "default_route": [f"sip:127.0.0.1:{proxy.port}"]}

    code, text = doctor(tmp_path, config)

    assert (code, text.count("FAULT")) == (0, 0), text
    assert "the proxy runs, and has 6 of the 6 sockets of `listen`" in text
    assert text.count("answers OPTIONS for sip.clearip.com with 200") == 2
    assert f"default_route: sip:127.0.0.1:{proxy.port}: packets of 65535 bytes pass" in text
    assert text.endswith(f"\nno faults in {text.count('ok    ')} checks\n")


def test_machines_get_the_findings_of_doctor_as_json(proxy: Proxy, tmp_path: Path) -> None:
    """Each with its remedy where it is a fault; the exit code is the same."""
    config = config_of(proxy)
    config["clearip"]["tls"]["server_name"] = "other.example.net"

    code, text = doctor(tmp_path, config, options=("--json",))

    assert code == 1
    findings = json.loads(text)["findings"]
    assert {each["is_well"] for each in findings} == {True, False}
    assert all(each["remedy"] for each in findings if not each["is_well"])


def test_doctor_asks_for_the_partition_of_every_source(proxy: Proxy, tmp_path: Path) -> None:
    """Each may be missing in ClearIP."""
    config = config_of(proxy)
    config["clearip"]["partition"] = "outbound"
    config["trusted"] = [{"network": "192.0.2.1/32", "partition": "inbound"}]

    _, text = doctor(tmp_path, config)

    assert text.count("answers OPTIONS for outbound.sip.clearip.com with") == 2
    assert text.count("answers OPTIONS for inbound.sip.clearip.com with") == 2


def test_doctor_finds_a_way_too_narrow_for_an_invite(proxy: Proxy, tmp_path: Path) -> None:
    """In a network of its own, with packets of 1,280 bytes."""
    config = {**config_of(proxy), "default_route": ["sip:127.0.0.1:9"]}
    narrow = ["unshare", "--net", "sh", "-c", 'ip link set lo up mtu 1280 && exec "$@"', "sh"]

    code, text = doctor(tmp_path, config, *narrow)

    assert code == 1
    assert "FAULT default_route: sip:127.0.0.1:9: packets of 1280 bytes pass; raise the MTU" in text


def test_doctor_names_the_remedy_for_a_site_with_another_name(proxy: Proxy, tmp_path: Path) -> None:
    """The certificate is ClearIP's, and not that of the name that is asked for."""
    config = config_of(proxy)
    config["clearip"]["tls"]["server_name"] = "other.example.net"

    code, text = doctor(tmp_path, config)

    assert code == 1
    assert text.count("TLS refused: Hostname mismatch") == 2
    assert "clearip.tls.server_name be its name" in text
