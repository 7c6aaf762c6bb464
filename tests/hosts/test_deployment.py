"""From a bare host to calls by the playbook."""

from pathlib import Path

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours
from hosts.playbook import deploy, variables

pytestmark = pytest.mark.timeout(900)


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
