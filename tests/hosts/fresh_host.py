"""Bare Debian hosts with systemd as PID 1, each in a network namespace of its own.

A host is a container of systemd-nspawn over a throw-away layer on a root file system. What it
cannot show, a virtual machine does: limits of memory, the clock, kernel parameters of the whole
machine.
"""

import os
import secrets
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from hosts.waiting import wait_until

WANTS_TO_REBOOT: Final = 133
BOOT_LIMIT_S: Final = 60
SHUTDOWN_LIMIT_S: Final = 30
BRIDGE: Final = "hosts0"
GATEWAY: Final = "10.77.0.1"
CGROUPS: Final = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"))


@dataclass(frozen=True, slots=True)
class Said:
    """What a command on a host printed, and how it ended."""

    code: int
    out: str
    err: str


class CommandFailed(AssertionError):
    """A command on a host ended with another exit code than 0."""


class FreshHost:
    """One host; to be booted, spoken to over SSH, and taken down."""

    def __init__(self, name: str, address: str, image: Path, directory: Path) -> None:
        self.name = name
        self.address = address
        self.key = directory / "key"
        self._image = image
        self._directory = directory / name
        self._namespace = f"host-{name}-{secrets.token_hex(4)}"  # the machine may run others
        self._runner: threading.Thread | None = None
        self._container: subprocess.Popen[bytes] | None = None
        self._is_wanted = True

    @cached_property
    def root(self) -> Path:
        """The host's root file system, as the machine sees it."""
        return self._directory / "root"

    def create(self) -> None:
        """Make the file system and the network link; the host does not run yet."""
        layers = [self._directory / layer for layer in ("upper", "work", "root")]
        for layer in layers:
            layer.mkdir(parents=True)
        upper, work, root = layers
        options = f"lowerdir={self._image},upperdir={upper},workdir={work}"
        _run("mount", "-t", "overlay", "overlay", "-o", options, str(root))
        self._furnish()
        self._join_network()

    def _furnish(self) -> None:
        """Give the host its name, a name server and a key to be entered with."""
        if not self.key.exists():
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))
        ssh = self.root / "root" / ".ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.key.with_suffix(".pub"), ssh / "authorized_keys")
        (self.root / "etc/hostname").write_text(f"{self.name}\n")
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n")
        (self.root / "etc/machine-id").write_text("")
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")

    def _join_network(self) -> None:
        """Lead a link from the bridge into the host; its MAC address follows from the other."""
        mac = "02:77:" + ":".join(f"{int(part):02x}" for part in self.address.split("."))
        ns, link = self._namespace, f"h-{self.name}"
        _run("ip", "netns", "add", ns)
        _run(*f"ip link add {link} type veth peer name eth0 netns {ns} address {mac}".split())
        _run(*f"ip link set {link} master {BRIDGE} up".split())
        _run(*f"ip -n {ns} address add {self.address}/24 dev eth0".split())
        _run(*f"ip -n {ns} link set eth0 mtu 1400 up".split())
        _run(*f"ip -n {ns} link set lo up".split())
        _run(*f"ip -n {ns} route add default via {GATEWAY}".split())

    def boot(self) -> None:
        """Start systemd, wait until all that belongs to the start has been started."""
        self._runner = threading.Thread(target=self._keep_running, name=f"host {self.name}")
        self._runner.start()
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait until systemd says that the start is over, well or not."""

        def is_up() -> bool:
            if self._runner is not None and not self._runner.is_alive():
                console = (self._directory / "console").read_text(errors="replace")
                raise CommandFailed(f"{self.name} does not boot: {console}")
            state = self.try_run("systemctl is-system-running").out.strip()
            return state in {"running", "degraded"}

        wait_until(is_up, f"{self.name} has booted", limit_s=BOOT_LIMIT_S)

    def _keep_running(self) -> None:
        code = WANTS_TO_REBOOT
        while code == WANTS_TO_REBOOT and self._is_wanted:
            with (self._directory / "console").open("ab") as console:
                self._container = subprocess.Popen(
                    self._command(),
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=console,
                    env={**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},
                    preexec_fn=self._enter_cgroup,  # noqa: PLW1509 - writes two files
                )
            code = self._container.wait()

    def _command(self) -> Sequence[str]:
        return (
            *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"),
            *(f"--directory={self.root}", f"--machine={self.name}", f"--hostname={self.name}"),
            f"--network-namespace-path=/run/netns/{self._namespace}",
            *("--capability=CAP_NET_ADMIN", "--resolv-conf=off", "--console=read-only"),
        )

    def _enter_cgroup(self) -> None:
        """Two hosts in one cgroup would mix up each other's units."""
        for cgroups in CGROUPS:
            if cgroups.is_dir():
                own = cgroups / self._namespace
                own.mkdir(exist_ok=True)
                (own / "cgroup.procs").write_text(str(os.getpid()))

    def reboot(self) -> None:
        """Boot again as `systemctl reboot` does, and wait until the host is up."""
        before = self.run("cat /proc/sys/kernel/random/boot_id; stat -c %Z /proc/1").out
        self.try_run("systemctl reboot")

        def is_another_boot() -> bool:
            now = self.try_run("cat /proc/sys/kernel/random/boot_id; stat -c %Z /proc/1")
            return now.code == 0 and now.out != before

        wait_until(is_another_boot, f"{self.name} boots again", limit_s=BOOT_LIMIT_S)
        self.wait_until_up()

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
            *("-o", "ConnectTimeout=2", "-o", "ServerAliveInterval=15"),
        )

    def destroy(self) -> None:
        """End the host and remove what it was made of."""
        self._is_wanted = False
        if self._container is not None and self._runner is not None:
            self._container.send_signal(signal.SIGTERM)
            self._runner.join(SHUTDOWN_LIMIT_S)
            if self._runner.is_alive():
                self._container.kill()
                self._runner.join()
        _run("ip", "netns", "delete", self._namespace)
        _run("umount", "--lazy", str(self.root))
        for cgroups in CGROUPS:
            _remove_cgroup(cgroups / self._namespace)
        for layer in ("upper", "work"):
            shutil.rmtree(self._directory / layer, ignore_errors=True)


def _remove_cgroup(cgroup: Path) -> None:
    """Remove a cgroup and those below it; one that still holds a dying process stays."""
    below = sorted(cgroup.rglob("*/"), reverse=True) if cgroup.is_dir() else ()
    for each in (*below, cgroup):
        with suppress(OSError):
            each.rmdir()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
