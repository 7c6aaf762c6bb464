"""Where an installed proxy lies on its host, and what systemd is asked about it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from inline_proxy.certificates import write_atomically

PRIVATE_FILE = 0o600
SERVICE = "inline-proxy.service"
PACKET_FILTER_SERVICE = "inline-proxy-packet-filter.service"
USER = "inline-proxy"
"""The user and the group that the service runs as."""


class NoSuchRelease(LookupError):
    """The release is not installed; the text names those that are."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The installed proxy; `root` is another folder than / in tests."""

    root: Path = Path("/")

    @property
    def releases(self) -> Path:
        """The releases, side by side."""
        return self.root / "opt/inline-proxy/releases"

    @property
    def current(self) -> Path:
        """The link to the release that runs from the next start on."""
        return self.root / "opt/inline-proxy/current"

    @property
    def config(self) -> Path:
        """The operator's configuration."""
        return self.root / "etc/inline-proxy/config.yaml"

    @property
    def units(self) -> Path:
        """Where the unit files lie; each release brings its own."""
        return self.root / "etc/systemd/system"

    @property
    def runtime(self) -> Path:
        """What Kamailio reads while it runs."""
        return self.root / "run/inline-proxy"

    @property
    def state(self) -> Path:
        """What outlives a restart."""
        return self.root / "var/lib/inline-proxy"

    @property
    def running_config(self) -> Path:
        """The configuration that the service has last been well with."""
        return self.state / "running-config.yaml"

    @property
    def previous_config(self) -> Path:
        """The one before that."""
        return self.state / "previous-config.yaml"

    @property
    def current_release(self) -> str | None:
        """The name of the current release; None before the first."""
        return self.current.readlink().name if self.current.is_symlink() else None

    def release(self, name: str) -> Path:
        """Return where a release lies; raises `NoSuchRelease`."""
        known = sorted(each.name for each in self.releases.glob("*/") if each.is_dir())
        if name not in known:
            raise NoSuchRelease(f"{name} is not installed; allowed: {', '.join(known) or 'none'}")
        return self.releases / name

    def point_to(self, name: str) -> None:
        """Make a release the current one, in one step, and its units systemd's."""
        for unit in sorted((self.release(name) / "packaging").glob("*.service")):
            new = self.units / f"{unit.name}.new"
            shutil.copyfile(unit, new)
            new.replace(self.units / unit.name)
        link = self.current.with_name("current.new")
        link.unlink(missing_ok=True)
        link.symlink_to(Path("releases") / name)
        link.replace(self.current)
        systemctl("daemon-reload")

    def keep(self, config_text: bytes) -> None:
        """Keep a configuration that runs, and the one that ran before it; raises `OSError`."""
        if self.running_config.exists():
            if self.running_config.read_bytes() == config_text:
                return
            shutil.copyfile(self.running_config, self.previous_config)
        write_atomically(self.running_config, config_text, PRIVATE_FILE)


def systemctl(*arguments: str) -> bool:
    """Run systemctl; tell whether it succeeded. What it says goes to this process's stderr."""
    return subprocess.run(["systemctl", *arguments], check=False).returncode == 0


def service_property(name: str, service: str = SERVICE) -> str:
    """Return what systemd knows of a service, such as `ActiveState`; empty without systemd."""
    asked = ["systemctl", "show", "--value", "--property", name, service]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
