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
from functools import cached_property
from pathlib import Path
from typing import Final

from hosts.remote_host import CommandFailed, RemoteHost
from hosts.root_layer import furnish, lay_over
from hosts.waiting import wait_until

WANTS_TO_REBOOT: Final = 133
BOOT_LIMIT_S: Final = 60
SHUTDOWN_LIMIT_S: Final = 30
BRIDGE: Final = "hosts0"
GATEWAY: Final = "10.77.0.1"
CGROUPS: Final = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"))


class FreshHost(RemoteHost):
    """One host; to be booted, spoken to over SSH, and taken down."""

    def __init__(self, name: str, address: str, image: Path, directory: Path) -> None:
        super().__init__(name, address, directory / "key")
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
        lay_over(self._image, self._directory)
        furnish(self.root, self.name, self.key)
        self._join_network()

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
