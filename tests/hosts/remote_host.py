"""A host as the tests speak to it: commands over SSH, as root."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Said:
    """What a command on a host printed, and how it ended."""

    code: int
    out: str
    err: str


class CommandFailed(AssertionError):
    """A command on a host ended with another exit code than 0."""


class RemoteHost:
    """A host that may be entered with a key of its own."""

    connect_limit_s = 10

    def __init__(self, name: str, address: str, key: Path) -> None:
        self.name = name
        self.address = address
        self.key = key

    def run(self, command: str, *, timeout_s: float = 300) -> Said:
        """Run a command there as root; raises `CommandFailed`."""
        said = self.try_run(command, timeout_s=timeout_s)
        if said.code != 0:
            raise CommandFailed(f"{self.name}: {command}: {said.code}\n{said.out}\n{said.err}")
        return said

    def try_run(self, command: str, *, timeout_s: float = 300) -> Said:
        """Run a command there as root, whatever becomes of it."""
        asked = ["ssh", *self.ssh_options, f"root@{self.address}", command]
        done = subprocess.run(
            asked,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    @property
    def ssh_options(self) -> tuple[str, ...]:
        """How SSH is called: with this host's key alone, and nobody to ask."""
        return (
            *("-i", str(self.key), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"),
            *("-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
            *("-o", f"ConnectTimeout={self.connect_limit_s}", "-o", "ServerAliveInterval=15"),
        )
