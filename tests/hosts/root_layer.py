"""A host's own root file system: a throw-away layer over an image that hosts share."""

import shutil
import subprocess
from pathlib import Path

LAYERS = ("upper", "work", "root")


def lay_over(image: Path, directory: Path) -> Path:
    """Mount a layer of `directory` over the image; return where the whole of it lies."""
    upper, work, root = (directory / layer for layer in LAYERS)
    for layer in (upper, work, root):
        layer.mkdir(parents=True)
    options = f"lowerdir={image},upperdir={upper},workdir={work}"
    mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(root)]
    subprocess.run(mount, check=True, stdin=subprocess.DEVNULL)
    return root


def furnish(root: Path, name: str, key: Path) -> None:
    """Give a host its name, a name server and a key to be entered with, if need be a new one."""
    if not key.exists():
        making = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(making, check=True, stdin=subprocess.DEVNULL)
    ssh = root / "root" / ".ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(key.with_suffix(".pub"), ssh / "authorized_keys")
    (root / "etc/hostname").write_text(f"{name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
    (root / "etc/machine-id").write_text("")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
