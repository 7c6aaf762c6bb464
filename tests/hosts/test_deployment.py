"""From a bare host to calls by the playbook, and what happens to the service then."""

import sys
import time
from pathlib import Path

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours
from hosts.playbook import deploy

pytestmark = pytest.mark.timeout(900)
MINUTES_TO_FIRST_CALL = 5


def variables(archive: Path, neighbours: Neighbours) -> dict[str, object]:
    """The inventory of a host that asks the neighbours' ClearIP."""
    return {
        "inline_proxy_archive": str(archive),
        "inline_proxy_config": neighbours.configuration,
        "inline_proxy_minimum_memory_mb": 512,
    }


@pytest.fixture(scope="session")
def host(
    bare_host: FreshHost,
    archive: Path,
    neighbours: Neighbours,
    tmp_path_factory: pytest.TempPathFactory,
) -> FreshHost:
    """A host that the playbook has installed the proxy on; prints how long it took."""
    ca = bare_host.root / "etc/inline-proxy/lab-ca.pem"
    ca.parent.mkdir()
    ca.write_bytes(neighbours.files.ca.read_bytes())
    started = time.monotonic()
    recap = deploy(bare_host, tmp_path_factory.mktemp("ansible"), variables(archive, neighbours))
    assert recap.failed == 0, recap.output
    assert neighbours.call(bare_host.address), bare_host.try_run("journalctl -u inline-proxy").out
    minutes = (time.monotonic() - started) / 60
    sys.stdout.write(f"{bare_host.name}: {minutes:.1f} minutes from bare host to first call\n")
    assert minutes < MINUTES_TO_FIRST_CALL
    return bare_host


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
