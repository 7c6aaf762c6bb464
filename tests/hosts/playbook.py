"""Ansible as an operator runs it, against a fresh host."""

import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hosts.neighbours import Neighbours
from hosts.remote_host import RemoteHost

ANSIBLE = Path(__file__).resolve().parents[2] / "ansible"
LIMIT_S = 600


@dataclass(frozen=True, slots=True)
class Recap:
    """What a run of the playbook did to one host."""

    changed: int
    failed: int
    output: str

    @classmethod
    def of(cls, output: str) -> "Recap":
        """Read the counts at the end of what Ansible prints."""
        counts = dict(re.findall(r"(ok|changed|unreachable|failed)=(\d+)", output))
        failed = int(counts.get("failed", 1)) + int(counts.get("unreachable", 1))
        return cls(int(counts.get("changed", 0)), failed, output)


def deploy(
    host: RemoteHost,
    directory: Path,
    variables: dict[str, object],
    *arguments: str,
    playbook: str = "site.yml",
    and_then: str | None = None,
) -> Recap:
    """Run a playbook against the host with these variables of its inventory.

    `and_then` is the address of a host that comes after it.
    """
    inventory = directory / "inventory.yml"
    connection = {
        "ansible_host": host.address,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(host.key),
        "ansible_ssh_common_args": " ".join(host.ssh_options[2:]),
    }
    all_hosts = {host.name: {**connection, **variables}}
    if and_then is not None:
        all_hosts["next-node"] = {**connection, **variables, "ansible_host": and_then}
    hosts = {"hosts": all_hosts}
    inventory.write_text(json.dumps({"inline_proxies": hosts}))  # JSON is YAML
    # By default Ansible goes on with a connection to the same address that another run has left
    # open, which may lead to a host in another network. The path must be short, and last as long.
    with tempfile.TemporaryDirectory(prefix="cp-") as connections:
        place = {"ANSIBLE_SSH_CONTROL_PATH_DIR": connections}
        return played("-i", inventory, ANSIBLE / playbook, *arguments, **place)


def played(*arguments: str | Path, **environment: str) -> Recap:
    """Run `ansible-playbook`: Debian's, which must not meet the libraries of .venv."""
    done = subprocess.run(
        ["ansible-playbook", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ANSIBLE,
        timeout=LIMIT_S,
        stdin=subprocess.DEVNULL,
        env={
            **os.environ,
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONPATH": "",
            "LC_ALL": "C.UTF-8",
            **environment,
        },
    )
    return Recap.of(done.stdout + done.stderr)


def variables(archive: Path, neighbours: Neighbours) -> dict[str, object]:
    """The inventory of a host that asks the neighbours' ClearIP."""
    return {
        "inline_proxy_archive": str(archive),
        "inline_proxy_config": neighbours.configuration,
        "inline_proxy_minimum_memory_mb": 512,
    }
