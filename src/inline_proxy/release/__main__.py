"""`python3 -m inline_proxy.release`: pack the tree that this module lies in."""

import argparse
import sys
from pathlib import Path

from inline_proxy.paths import ROOT
from inline_proxy.release.archive import Release, materials_beside, pack, write_checksums
from inline_proxy.release.contents import NotATree
from inline_proxy.release.debian_package import CannotBuild, build
from inline_proxy.release.install_script import CannotPublish, publish


def main() -> int:
    """Pack, and print the archive's path alone on stdout."""
    parser = argparse.ArgumentParser(prog="release", description=main.__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--deb", action="store_true", help="build the Debian package beside it")
    parser.add_argument("--url", help="where it will lie, for the install.sh to be piped into sh")
    asked = parser.parse_args()
    try:
        release = pack(ROOT, asked.output)
        if asked.deb:
            add_debian_package(release, asked.output)
        if asked.url:
            publish(ROOT, release, asked.url)
    except (NotATree, CannotBuild, CannotPublish, OSError) as fault:
        sys.stderr.write(f"release: {fault}\n")
        return 1
    sys.stdout.write(f"{release.archive}\n")
    return 0


def add_debian_package(release: Release, output: Path) -> None:
    """Build the Debian package into the archive's folder, and add its checksum."""
    package = build(ROOT, release)
    write_checksums(output, release.archive, package, materials_beside(release))


if __name__ == "__main__":
    sys.exit(main())
