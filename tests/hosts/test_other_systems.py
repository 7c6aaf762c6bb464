"""What the role does on systems that are not at hand: a dry run with the facts of such hosts."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from hosts.playbook import ANSIBLE

FACTS = Path(__file__).with_name("facts")
RED_HAT_10 = ("almalinux-10", "rhel-10", "rocky-10")
REPOSITORY = {
    "inline_proxy_kamailio_repository": "https://rpm.example.net/kamailio/",
    "inline_proxy_kamailio_repository_key": "https://rpm.example.net/key",
}


def dry_run(system: str, directory: Path, **variables: str) -> str:
    """Run the role with --check and --diff as if this host were another; return what it prints."""
    facts = json.loads((FACTS / f"{system}.json").read_text())
    play = {"hosts": "localhost", "gather_facts": False, "roles": ["inline_proxy"]}
    (directory / "play.yml").write_text(json.dumps([{**play, "vars": {**facts, **variables}}]))
    asked = ["ansible-playbook", "-i", "localhost,", "-c", "local", "--check", "--diff"]
    environment = {
        **{name: os.environ[name] for name in ("HOME", "TERM") if name in os.environ},
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        [*asked, str(directory / "play.yml")],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("system", ["debian-11", "rhel-9", "rocky-9", "ubuntu-24.04"])
def test_unknown_system_is_refused_before_anything_is_changed(system: str, tmp_path: Path) -> None:
    """In a sentence that names the system and those that are supported."""
    said = dry_run(system, tmp_path, **REPOSITORY)

    assert "is not supported: take Debian 13 or 12" in said
    assert "changed=0" in said
    assert "TASK [inline_proxy : Install" not in said


@pytest.mark.parametrize("system", RED_HAT_10)
def test_red_hat_family_wants_to_be_told_where_kamailio_comes_from(
    system: str, tmp_path: Path
) -> None:
    """Its own tasks are chosen by facts; none of them takes packages from an unpinned place."""
    said = dry_run(system, tmp_path)

    assert "set inline_proxy_kamailio_repository" in said
    assert "Install Debian's packages" not in said
    assert "changed=0" in said


@pytest.mark.parametrize("system", RED_HAT_10)
def test_red_hat_family_begins_with_the_pinned_repository(system: str, tmp_path: Path) -> None:
    """As far as a dry run goes on a Debian, which has no folder for such repositories."""
    said = dry_run(system, tmp_path, **REPOSITORY)

    assert "Add the repository of Kamailio's own packages" in said
    assert "yum.repos.d" in said
    assert "Install Debian's packages" not in said
