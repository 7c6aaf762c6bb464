"""install.sh on a bare host: from the archive, interrupted, again, and away again."""

import json
import shutil
import sys
import time
from pathlib import Path

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours

pytestmark = pytest.mark.timeout(900)
MINUTES_TO_FIRST_CALL = 5
# What packages leave behind, and what changes by itself.
FILES = (
    "find / -xdev ! -type d ! -path '/var/lib/dpkg/*' ! -path '/var/lib/apt/*' "
    "! -path '/var/cache/*' ! -path '/var/log/*' ! -path '/var/lib/systemd/*' ! -path '/root/*' "
    "! -path '/etc/ssl/certs/*' ! -path '/etc/.pwd.lock' ! -path '*.pyc' ! -path '/tmp/*' "
    "! -path '/etc/passwd-' ! -path '/etc/group-' ! -path '/etc/shadow-' ! -path '/etc/gshadow-' "
    "! -path '/var/lib/pam/*' ! -path '/var/lib/dbus/*' | sort"
)


@pytest.fixture(scope="module")
def files_before(other_bare_host: FreshHost) -> str:
    """What lies on the host before anything is installed."""
    return other_bare_host.run(FILES).out


@pytest.fixture(scope="module")
def installed(
    other_bare_host: FreshHost, archive: Path, neighbours: Neighbours, files_before: str
) -> FreshHost:
    """A host where the script was interrupted, and has finished then; prints how long it took."""
    host = other_bare_host
    assert files_before
    shutil.copy(archive, host.root / "root" / archive.name)
    shutil.copy(neighbours.files.ca, host.root / "root/lab-ca.pem")
    text = json.dumps(neighbours.configuration).replace("/etc/inline-proxy/", "/usr/local/share/")
    (host.root / "root/config.yaml").write_text(text)
    host.run("cp /root/lab-ca.pem /usr/local/share/")
    host.run(f"mkdir /root/release && tar -xzf /root/{archive.name} -C /root/release --strip 1")
    started = time.monotonic()
    interrupted = host.try_run("timeout -s KILL 12 /root/release/install.sh")
    assert interrupted.code != 0
    finished = host.try_run("/root/release/install.sh --config /root/config.yaml", timeout_s=600)
    log = host.try_run("tail -n 40 /var/log/inline-proxy-install.log").out
    assert finished.code == 0, finished.err + log
    assert neighbours.call(host.address)
    minutes = (time.monotonic() - started) / 60
    sys.stdout.write(f"{host.name}: {minutes:.1f} minutes with install.sh, interrupted once\n")
    assert minutes < MINUTES_TO_FIRST_CALL
    return host


def test_interrupted_installation_is_finished_by_the_next(installed: FreshHost) -> None:
    """It runs, and does so again after a boot."""
    assert installed.run("systemctl is-enabled inline-proxy").out.strip() == "enabled"
    assert installed.run("systemctl is-system-running").out.strip() == "running"


def test_script_that_is_run_again_says_that_nothing_is_to_do(installed: FreshHost) -> None:
    """And the service goes on."""
    assert "Nothing to do" in installed.run("/root/release/install.sh", timeout_s=600).out


def test_uninstalling_keeps_configuration_until_it_is_told_to_purge(
    installed: FreshHost, files_before: str
) -> None:
    """Then nothing is left of it, nor of the packages that it has brought."""
    installed.run("/root/release/install.sh --uninstall", timeout_s=600)
    kept = installed.run("cat /etc/inline-proxy/config.yaml").out
    installed.run("/root/release/install.sh --uninstall --purge", timeout_s=600)
    installed.run("rm /usr/local/share/lab-ca.pem")

    assert "clearip" in kept
    left = set(installed.run(FILES).out.splitlines()) - set(files_before.splitlines())
    # A library that a package of the system's suggests stays, and belongs to the system then.
    assert [file for file in left if installed.try_run(f"dpkg -S '{file}'").code != 0] == []
    assert installed.try_run("command -v inline-proxy kamailio ansible-playbook").code != 0
    assert installed.try_run("getent passwd inline-proxy").code != 0
