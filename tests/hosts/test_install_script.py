"""install.sh on a bare host: from the archive, interrupted, again, and away again."""

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours
from hosts.releases import ROOT
from hosts.waiting import wait_until
from inline_proxy.release.archive import Release
from inline_proxy.release.install_script import publish

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


KILLED_BARE_AFTER_S, KILLED_AFTER_S = (4, 10), (3, 9)
"""While packages are being fetched and unpacked, and when the role runs."""
INSTALL = "/root/release/install.sh"
HOLDS_A_PORT = (
    "systemd-run --quiet --unit holder python3 -c "
    "'import socket,time; s=socket.socket(type=socket.SOCK_DGRAM); "
    's.bind(("0.0.0.0", 5060)); time.sleep(60)\''
)
PORT = 6090


@pytest.fixture(scope="module")
def files_before(other_bare_host: FreshHost) -> str:
    """What lies on the host before anything is installed."""
    return other_bare_host.run(FILES).out


@pytest.fixture(scope="module")
def prepared(
    other_bare_host: FreshHost, archive: Path, neighbours: Neighbours, files_before: str
) -> FreshHost:
    """A bare host with an unpacked archive and a configuration in root's home."""
    host = other_bare_host
    assert files_before
    shutil.copy(archive, host.root / "root" / archive.name)
    shutil.copy(neighbours.files.ca, host.root / "root/lab-ca.pem")
    text = json.dumps(neighbours.configuration).replace("/etc/inline-proxy/", "/usr/local/share/")
    (host.root / "root/config.yaml").write_text(text)
    host.run("cp /root/lab-ca.pem /usr/local/share/")
    host.run(f"mkdir /root/release && tar -xzf /root/{archive.name} -C /root/release --strip 1")
    return host


@pytest.fixture(scope="module")
def published(
    archive: Path, neighbours: Neighbours, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a web server with the release, as `scripts/release --url` lays it out."""
    folder = tmp_path_factory.mktemp("published")
    url = f"http://{neighbours.address}:{PORT}"
    for file in (archive, archive.with_name("SHA256SUMS")):
        shutil.copy(file, folder)
    name = archive.name.removeprefix("inline-proxy-").removesuffix(".tar.gz")
    publish(ROOT, Release(name, folder / archive.name), url)
    (folder / "changed").mkdir()
    shutil.copy(archive.with_name("SHA256SUMS"), folder / "changed")
    (folder / "changed" / archive.name).write_bytes(b"changed" + archive.read_bytes())
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer((neighbours.address, PORT), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield url
        server.shutdown()


def piped(url: str, *arguments: str) -> str:
    """The command that fetches the script and pipes it into sh; a bare host has no curl yet."""
    fetched = f"import urllib.request as u; print(u.urlopen('{url}/install.sh').read().decode())"
    return f'cd / && python3 -c "{fetched}" | sh -s -- {" ".join(arguments)}'


def kill_after(host: FreshHost, moments: tuple[int, ...]) -> None:
    """Interrupt the installation where nothing can be tidied up any more."""
    for seconds in moments:
        assert host.try_run(f"timeout -s KILL {seconds} {INSTALL}").code != 0


@pytest.fixture(scope="module")
def installed(prepared: FreshHost, neighbours: Neighbours, published: str) -> FreshHost:
    """A host where the script was interrupted, and has finished then; prints how long it took."""
    started = time.monotonic()
    kill_after(prepared, KILLED_AFTER_S)
    finished = prepared.try_run(piped(published, "--config", "/root/config.yaml"), timeout_s=600)
    log = prepared.try_run("tail -n 40 /var/log/inline-proxy-install.log").out
    assert finished.code == 0, finished.err + log
    assert neighbours.call(prepared.address)
    minutes = (time.monotonic() - started) / 60
    times = len(KILLED_AFTER_S)
    sys.stdout.write(
        f"{prepared.name}: {minutes:.1f} minutes with install.sh, {times} times killed\n"
    )
    assert minutes < MINUTES_TO_FIRST_CALL
    return prepared


def test_taken_port_is_refused_before_anything_is_changed(prepared: FreshHost) -> None:
    """With the name of who holds it."""
    prepared.run(HOLDS_A_PORT)
    wait_until(lambda: ":5060" in prepared.run("ss -Hlun").out, "the port is taken")

    refused = prepared.try_run(INSTALL)
    prepared.run("systemctl stop holder")

    assert refused.code == 1
    assert "python3" in refused.err
    assert "the ports for SIP are taken" in refused.err
    assert prepared.try_run("ls /opt/inline-proxy").code != 0


def test_archive_that_was_changed_is_refused_before_anything_is_changed(
    prepared: FreshHost, published: str
) -> None:
    """Its checksum is not the published one."""
    refused = prepared.try_run(piped(published, "--from", f"{published}/changed"))
    missing = prepared.try_run(piped(published, "--version", "0.0.0"))

    assert refused.code == 1
    assert "checksum is not the one in" in refused.err
    assert "inline-proxy-0.0.0.tar.gz cannot be fetched" in missing.err
    assert prepared.try_run("ls /opt/inline-proxy/releases").code != 0


def test_faulty_configuration_is_named_and_nothing_runs(prepared: FreshHost) -> None:
    """In the sentences of `inline-proxy check`, not in Ansible's JSON."""
    kill_after(prepared, KILLED_BARE_AFTER_S)
    prepared.run("printf 'clearip: {sites: []}\nlisten: {udp: x}\n' >/root/faulty.yaml")

    refused = prepared.try_run(f"{INSTALL} --config /root/faulty.yaml", timeout_s=600)

    assert refused.code == 1
    assert "clearip.sites: has too few entries" in refused.err
    assert "listen.udp: is not a port" in refused.err
    assert '"msg"' not in refused.err
    assert prepared.run("ss -Hlun 'sport = :5060'").out == ""


def test_interrupted_installation_is_finished_by_the_next(installed: FreshHost) -> None:
    """It runs, and does so again after a boot."""
    assert installed.run("systemctl is-enabled inline-proxy").out.strip() == "enabled"
    assert installed.run("systemctl is-system-running").out.strip() == "running"


def test_script_that_is_run_again_says_that_nothing_is_to_do(installed: FreshHost) -> None:
    """And the service goes on."""
    assert "Nothing to do" in installed.run("/root/release/install.sh", timeout_s=600).out


def test_broken_release_gives_way_to_the_one_before(
    installed: FreshHost, neighbours: Neighbours
) -> None:
    """The script says so, and ends as what has failed does."""
    good = running_release(installed)
    installed.run("cp -a /root/release /root/broken && echo 9.9.8 >/root/broken/RELEASE")
    installed.run("echo 'raise RuntimeError' >>/root/broken/kemi/proxy.py")

    upgraded = installed.try_run("/root/broken/install.sh", timeout_s=600)

    assert upgraded.code == 1
    assert f"9.9.8 does not start; {good} runs again" in upgraded.err
    assert running_release(installed) == good
    assert neighbours.call(installed.address)


def test_other_release_takes_over_and_the_one_before_stays(
    installed: FreshHost, neighbours: Neighbours
) -> None:
    """To go back to, without the network."""
    good = running_release(installed)
    installed.run("cp -a /root/release /root/next && echo 9.9.9 >/root/next/RELEASE")

    said = installed.run("/root/next/install.sh", timeout_s=600).out

    assert "Nothing to do" not in said
    assert running_release(installed) == "9.9.9"
    assert neighbours.call(installed.address)
    assert f"switched to {good}" in installed.run(f"inline-proxy switch {good}").out


def running_release(host: FreshHost) -> str:
    """The name of the release that the link leads to."""
    return host.run("basename $(readlink /opt/inline-proxy/current)").out.strip()


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
