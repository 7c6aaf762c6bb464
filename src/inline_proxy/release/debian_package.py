"""The Debian package: it carries the archive, and lays it down on one host as the role does.

The archive itself, not its files: releases stay side by side, so that an upgrade can go back,
and dpkg would take the old one away before the new one has shown that it works.
"""

import gzip
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from inline_proxy.release.archive import EPOCH, Release
from inline_proxy.release.bill_of_materials import PACKAGES

SCRIPTS = Path("packaging/debian")
MAINTAINER = "The maintainers of the In-line Proxy for ClearIP <inline-proxy@invalid>"
"""The project has no mailbox; whoever publishes the package puts in their own."""
ESSENTIAL = frozenset({"util-linux"})
"""What no Debian is without, and policy wants unsaid."""
CONTROL = """\
Package: inline-proxy
Version: {version}
Architecture: all
Maintainer: {maintainer}
Depends: {depends}
Section: comm
Priority: optional
Description: SIP proxy between switches and carriers that asks ClearIP
 It takes every INVITE, asks ClearIP over TLS what to do with the call, and
 does it: signed caller numbers (STIR/SHAKEN), blocked calls, routes tried
 one after the other.
 .
 The package installs the service, starts it now and at every boot. It needs
 no configuration to start; /etc/inline-proxy/config.yaml is where it goes.
"""
CHANGELOG = f"""\
inline-proxy ({{version}}) stable; urgency=medium

  * /opt/inline-proxy/current/CHANGELOG.md says what is new.

 -- {MAINTAINER}  Wed, 01 Jan 2025 00:00:00 +0000
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: inline-proxy

Files: *
Copyright: 2025 The maintainers of the In-line Proxy for ClearIP
License: GPL-2.0-or-later
 The text of version 2 is in /usr/share/common-licenses/GPL-2.
"""
EMPTY_CONFIGURATION = """\
# The in-line proxy's configuration. Every key has a default, so that nothing need stand here.
# After a change: inline-proxy apply
"""


class CannotBuild(RuntimeError):
    """dpkg-deb is missing or refuses; the text says which."""


def build(root: Path, release: Release) -> Path:
    """Write the package beside the archive and return its path; the same archive, the same bytes.

    `root` is the tree that the archive was packed from. Raises `CannotBuild`.
    """
    package = release.archive.with_name(f"inline-proxy_{release.name}_all.deb")
    with tempfile.TemporaryDirectory(prefix="inline-proxy-") as aside:
        tree = Path(aside) / "tree"
        _lay_out(root, release, tree)
        _set_modes(tree)
        _dpkg_deb(tree, package)
    return package


def _lay_out(root: Path, release: Release, tree: Path) -> None:
    share, documents = tree / "usr/share/inline-proxy", tree / "usr/share/doc/inline-proxy"
    for folder in (share, documents, tree / "usr/bin", tree / "DEBIAN"):
        folder.mkdir(parents=True)
    shutil.copyfile(release.archive, share / release.archive.name)
    (share / "config.yaml").write_text(EMPTY_CONFIGURATION)
    shutil.copyfile(root / "packaging/inline-proxy", tree / "usr/bin/inline-proxy")
    (documents / "copyright").write_text(COPYRIGHT)
    log = CHANGELOG.format(version=release.name).encode()
    (documents / "changelog.gz").write_bytes(gzip.compress(log, 9, mtime=0))
    (tree / "DEBIAN/control").write_text(_control(root, release.name))
    for script in sorted((root / SCRIPTS).iterdir()):
        text = script.read_text().replace("@RELEASE@", release.name)
        (tree / "DEBIAN" / script.name).write_text(text)


def _control(root: Path, version: str) -> str:
    families = json.loads((root / PACKAGES).read_text())["inline_proxy_packages"]
    needed = sorted({*families["Debian"], "iproute2", "passwd", "systemd"} - ESSENTIAL)
    return CONTROL.format(version=version, maintainer=MAINTAINER, depends=", ".join(needed))


def _set_modes(tree: Path) -> None:
    """Whoever builds it, with whatever umask."""
    programs = {tree / "usr/bin/inline-proxy", *(tree / "DEBIAN").glob("p*")}
    for path in (tree, *tree.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path in programs else 0o644)


def _dpkg_deb(tree: Path, package: Path) -> None:
    asked = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
    try:
        done = subprocess.run(
            [*asked, str(tree), str(package)],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
    except OSError as missing:
        raise CannotBuild(f"dpkg-deb builds the Debian package: {missing}") from missing
    if done.returncode != 0:
        raise CannotBuild(f"dpkg-deb: {done.stderr.strip()}")
