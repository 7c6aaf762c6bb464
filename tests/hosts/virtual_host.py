"""Virtual machines: what containers cannot show, such as limits of memory, a clock, a real kernel.

QEMU interprets them (TCG), so that they run anywhere, some ten times slower than a real host.
"""

import subprocess
from pathlib import Path
from typing import Final

from hosts.fresh_host import BRIDGE, GATEWAY
from hosts.remote_host import CommandFailed, RemoteHost, Said
from hosts.root_layer import furnish, lay_over
from hosts.waiting import wait_until

BOOT_LIMIT_S: Final = 300
SHUTDOWN_LIMIT_S: Final = 60
SSH_FAILED: Final = 255
"""The exit code of ssh(1) itself, and of no command that is run here."""
MEMORY_MB: Final = 1024
DISK: Final = "4G"


class VirtualHost(RemoteHost):
    """One machine on the bridge of the hosts."""

    connect_limit_s = 60

    def __init__(self, name: str, address: str, image: Path, directory: Path) -> None:
        super().__init__(name, address, directory / "key")
        self._image = image
        self._directory = directory / name
        self._tap = f"v-{name}"
        self._machine: subprocess.Popen[bytes] | None = None

    def run(self, command: str, *, timeout_s: float = 300) -> Said:
        """Run a command there as root, again where SSH itself has failed; raises `CommandFailed`.

        While the kernel is busy an emulated machine may be too slow for its patience.
        """
        try:
            return super().run(command, timeout_s=timeout_s)
        except CommandFailed as failure:
            if f": {SSH_FAILED}\n" not in str(failure):
                raise
        return super().run(command, timeout_s=timeout_s)

    def create(self) -> None:
        """Make disk, kernel and network link; the machine does not run yet."""
        root = lay_over(self._image, self._directory)
        furnish(root, self.name, self.key)
        (root / "etc/systemd/network/10-lab.network").write_text(
            f"[Match]\nName=en* eth*\n[Network]\nAddress={self.address}/24\nGateway={GATEWAY}\n"
        )
        disk = self._directory / "disk"
        _run("truncate", "-s", DISK, str(disk))
        options = ("-q", "-t", "ext4", "-E", "lazy_itable_init=1,nodiscard")
        _run("mke2fs", *options, "-d", str(root), str(disk))
        for part in ("vmlinuz", "initrd.img"):
            newest = max((root / "boot").glob(f"{part}-*"))
            _run("cp", str(newest), str(self._directory / part))
        _run("umount", str(root))
        _run(*f"ip tuntap add {self._tap} mode tap".split())
        _run(*f"ip link set {self._tap} master {BRIDGE} up".split())

    def boot(self) -> None:
        """Switch it on, wait until all that belongs to the start has been started."""
        with (self._directory / "console").open("wb") as console:
            self._machine = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        self.wait_until_up()

    def _command(self) -> list[str]:
        """One processor: with two, the emulation was seen to hang."""
        mac = "02:78:" + ":".join(f"{int(part):02x}" for part in self.address.split("."))
        return [
            *("setpriv", "--pdeathsig", "TERM", "qemu-system-x86_64"),
            *("-accel", "tcg,tb-size=512", "-cpu", "max", "-smp", "1", "-m", str(MEMORY_MB)),
            *("-nographic", "-kernel", str(self._directory / "vmlinuz")),
            *("-initrd", str(self._directory / "initrd.img")),
            *("-append", "console=ttyS0 root=/dev/vda rw quiet"),
            *("-drive", f"file={self._directory / 'disk'},if=virtio,format=raw,cache=unsafe"),
            *("-device", "virtio-rng-pci"),
            *("-netdev", f"tap,id=n0,ifname={self._tap},script=no,downscript=no"),
            *("-device", f"virtio-net-pci,netdev=n0,mac={mac}"),
        ]

    def wait_until_up(self) -> None:
        """Wait until systemd says that the start is over, well or not."""

        def is_up() -> bool:
            if self._machine is not None and self._machine.poll() is not None:
                raise CommandFailed(f"{self.name} has ended: {self.console}")
            said = self.try_run("systemctl is-system-running", timeout_s=BOOT_LIMIT_S)
            return said.out.strip() in {"running", "degraded"}

        wait_until(is_up, f"{self.name} has booted", limit_s=BOOT_LIMIT_S)

    @property
    def console(self) -> str:
        """What has been written on the machine's console."""
        return (self._directory / "console").read_text(errors="replace")

    def reboot(self) -> None:
        """Boot again as `systemctl reboot` does, and wait until the host is up."""
        before = self.run("cat /proc/sys/kernel/random/boot_id").out
        self.try_run("systemctl reboot")

        def is_another_boot() -> bool:
            now = self.try_run("cat /proc/sys/kernel/random/boot_id", timeout_s=BOOT_LIMIT_S)
            return now.code == 0 and now.out != before

        wait_until(is_another_boot, f"{self.name} boots again", limit_s=BOOT_LIMIT_S)
        self.wait_until_up()

    def destroy(self) -> None:
        """End the machine and remove what it was made of."""
        if self._machine is not None:
            self._machine.terminate()
            self._machine.wait(SHUTDOWN_LIMIT_S)
        _run("ip", "link", "delete", self._tap)
        (self._directory / "disk").unlink()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
