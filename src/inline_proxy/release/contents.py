"""What belongs to a release, and by what name it goes.

The standard library alone: a bare host builds from a clone before anything is installed.
"""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from inline_proxy import __version__

MANIFEST = "MANIFEST"
"""In an archive: the SHA-256 and path of every file, as sha256sum(1) reads them."""
IDENTITY = "RELEASE"
"""In an archive: the name of the release."""
PARTS = (
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "ansible/",
    "docs/",
    "install.sh",
    "kamailio/",
    "kemi/",
    "monitoring/",
    "packaging/",
    "src/",
    "templates/",
)
LEFT_OUT = ("kemi/stubs/",)
CONTENT_DIGITS = 10


class NotATree(RuntimeError):
    """The folder is neither a clone nor an unpacked archive."""


def files_of(root: Path) -> tuple[Path, ...]:
    """Return the files of a release below a clone or an unpacked archive, sorted.

    Raises `NotATree`.
    """
    names = _listed_by_git(root) if (root / ".git").exists() else _listed_by_manifest(root)
    kept = (name for name in names if name.startswith(PARTS) and not name.startswith(LEFT_OUT))
    return tuple(Path(name) for name in sorted(kept) if (root / name).is_file())


def _listed_by_git(root: Path) -> Iterator[str]:
    # Under sudo the clone belongs to somebody else, and git would refuse to read it.
    listing = ["git", "-c", f"safe.directory={root}", "-C", str(root), "ls-files", "-z"]
    listing += ["--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(listing, capture_output=True, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NotATree(f"{root}: git cannot list the files of this clone ({error})") from error
    return (name.decode() for name in listed.split(b"\0") if name)


def _listed_by_manifest(root: Path) -> Iterator[str]:
    try:
        lines = (root / MANIFEST).read_text().splitlines()
    except OSError as error:
        raise NotATree(f"{root}: neither a clone nor an unpacked release archive") from error
    return (line.partition("  ")[2] for line in lines)


def manifest(root: Path, files: tuple[Path, ...]) -> str:
    """Return checksum and path of every file, a line each."""
    return "".join(f"{_sha256(root / file)}  {file}\n" for file in files)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def release_name(root: Path, listed: str) -> str:
    """Name a release: its version; what is no tagged version says by its name what it holds.

    `listed` is its manifest. An unpacked archive keeps the name that it was given.
    """
    if (root / IDENTITY).is_file() and not (root / ".git").exists():
        return (root / IDENTITY).read_text().strip()
    if (root / ".git").exists() and _is_tagged(root):
        return __version__
    return f"{__version__}+{hashlib.sha256(listed.encode()).hexdigest()[:CONTENT_DIGITS]}"


def _is_tagged(root: Path) -> bool:
    git = ["git", "-c", f"safe.directory={root}", "-C", str(root)]
    asked = [*git, "describe", "--exact-match", "--dirty", "--match", f"v{__version__}"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    return said.returncode == 0 and said.stdout.strip() == f"v{__version__}"
