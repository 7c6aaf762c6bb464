"""The Debian package on a bare host: installed, called through, removed, purged."""

import json
import shutil
from pathlib import Path

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours

pytestmark = pytest.mark.timeout(900)
APT = "DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet --no-install-recommends"


@pytest.fixture(scope="module")
def with_package(third_bare_host: FreshHost, archive: Path, neighbours: Neighbours) -> FreshHost:
    """A host that apt has installed the package on, with a configuration put there before."""
    host = third_bare_host
    package = next(archive.parent.glob("*.deb"))
    shutil.copy(package, host.root / "root/inline-proxy.deb")
    shutil.copy(neighbours.files.ca, host.root / "usr/local/share/lab-ca.pem")
    text = json.dumps(neighbours.configuration).replace("/etc/inline-proxy/", "/usr/local/share/")
    (host.root / "etc/inline-proxy").mkdir()
    (host.root / "etc/inline-proxy/config.yaml").write_text(text)
    host.run(f"apt-get --quiet update && {APT} install /root/inline-proxy.deb", timeout_s=600)
    return host


def test_package_installs_a_service_that_passes_a_call_on(
    with_package: FreshHost, neighbours: Neighbours
) -> None:
    """It runs, starts at boot, and Kamailio's own service is out of its way."""
    assert neighbours.call(with_package.address)
    enabled = with_package.run("systemctl is-enabled inline-proxy inline-proxy-packet-filter")
    assert enabled.out.split() == ["enabled", "enabled"]
    assert with_package.run("systemctl is-system-running").out.strip() == "running"
    assert with_package.try_run("systemctl is-enabled kamailio").out.strip() == "masked"


def test_package_that_is_installed_again_disturbs_nothing(with_package: FreshHost) -> None:
    """The service goes on in the same process."""
    before = with_package.run("systemctl show --value -p MainPID inline-proxy").out

    with_package.run(f"{APT} --reinstall install /root/inline-proxy.deb")

    assert with_package.run("systemctl show --value -p MainPID inline-proxy").out == before


def test_removal_keeps_the_configuration_and_a_purge_does_not(with_package: FreshHost) -> None:
    """As of any package."""
    with_package.run(f"{APT} remove inline-proxy")
    kept = with_package.run("cat /etc/inline-proxy/config.yaml").out
    with_package.run(f"{APT} purge inline-proxy")

    assert "clearip" in kept
    left = with_package.run("find / -xdev -name '*inline-proxy*' ! -path '/root/*'").out.split()
    assert [
        path for path in left if not path.startswith(("/var/lib/dpkg", "/var/lib/systemd"))
    ] == []
    assert with_package.try_run("getent passwd inline-proxy").code != 0
