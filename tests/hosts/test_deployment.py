"""From a bare host to calls by the playbook."""

from pathlib import Path

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours
from hosts.playbook import deploy, variables

pytestmark = pytest.mark.timeout(900)


def test_dry_run_on_a_bare_host_says_what_would_be_done(
    bare_host: FreshHost, archive: Path, neighbours: Neighbours, tmp_path: Path
) -> None:
    """And does nothing of it: the first thing that a careful operator runs."""
    recap = deploy(bare_host, tmp_path, variables(archive, neighbours), "--check", "--diff")

    assert recap.failed == 0, recap.output
    assert recap.changed > 0
    found = "find /opt/inline-proxy /etc/inline-proxy /usr/bin/inline-proxy /usr/sbin/kamailio"
    assert bare_host.try_run(f"{found} 2>/dev/null").out == ""


def test_installed_service_passes_a_call_on_again_after_a_reboot(
    host: FreshHost, neighbours: Neighbours
) -> None:
    """Nobody has to start it."""
    host.reboot()

    assert host.run("systemctl is-system-running").out.strip() == "running"
    assert neighbours.call(host.address)


def test_second_run_of_the_playbook_changes_nothing(
    host: FreshHost, archive: Path, neighbours: Neighbours, tmp_path: Path
) -> None:
    """What is there already is left alone: the service goes on running."""
    before = host.run("systemctl show --value -p MainPID inline-proxy").out

    recap = deploy(host, tmp_path, variables(archive, neighbours))

    assert (recap.changed, recap.failed) == (0, 0), recap.output
    assert host.run("systemctl show --value -p MainPID inline-proxy").out == before


def test_dry_run_shows_the_change_and_does_not_make_it(
    host: FreshHost, archive: Path, neighbours: Neighbours, tmp_path: Path
) -> None:
    """Line by line; a second look at the host finds it as it was."""
    before = host.run("sha256sum /etc/inline-proxy/config.yaml").out
    changed = with_search_timeout(variables(archive, neighbours), 91_000)

    recap = deploy(host, tmp_path, changed, "--check", "--diff")

    assert recap.failed == 0, recap.output
    assert "+  search_timeout_ms: 91000" in recap.output
    assert host.run("sha256sum /etc/inline-proxy/config.yaml").out == before


def test_change_that_can_be_reloaded_restarts_nothing(
    host: FreshHost, archive: Path, neighbours: Neighbours, tmp_path: Path
) -> None:
    """By the playbook, there and back."""
    before = host.run("systemctl show --value -p MainPID inline-proxy").out
    wanted = variables(archive, neighbours)

    there = deploy(host, tmp_path, with_search_timeout(wanted, 92_000))
    policy = host.run("cat /run/inline-proxy/proxy.json").out
    back = deploy(host, tmp_path, wanted)

    assert (there.failed, back.failed) == (0, 0), there.output + back.output
    assert "92000" in policy
    assert host.run("systemctl show --value -p MainPID inline-proxy").out == before


def test_faulty_configuration_is_named_and_changes_nothing(
    host: FreshHost, archive: Path, neighbours: Neighbours, tmp_path: Path
) -> None:
    """With the sentences of `inline-proxy check`."""
    faulty = variables(archive, neighbours) | {
        "inline_proxy_config": {"clearip": {"sites": []}, "nonsense": 1}
    }
    before = host.run("sha256sum /etc/inline-proxy/config.yaml").out

    recap = deploy(host, tmp_path, faulty)

    assert recap.failed > 0
    assert "clearip.sites: has too few entries" in recap.output
    assert "nonsense: unknown key" in recap.output
    assert host.run("sha256sum /etc/inline-proxy/config.yaml").out == before
    assert neighbours.call(host.address)


def with_search_timeout(given: dict[str, object], milliseconds: int) -> dict[str, object]:
    """The same inventory, with a change that no call notices."""
    config = given["inline_proxy_config"]
    assert isinstance(config, dict)
    return given | {
        "inline_proxy_config": config | {"targets": {"search_timeout_ms": milliseconds}}
    }
