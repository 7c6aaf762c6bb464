"""The Debian package of this tree."""

import subprocess
from pathlib import Path

import pytest

from inline_proxy.release.__main__ import add_debian_package
from inline_proxy.release.archive import CHECKSUMS, Release
from inline_proxy.release.debian_package import CannotBuild, build

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """A release whose archive is a few bytes."""
    archive = tmp_path / "inline-proxy-1.2.3.tar.gz"
    archive.write_bytes(b"archive")
    (tmp_path / "inline-proxy-1.2.3.sbom.cdx.json").write_text("{}")
    return Release("1.2.3", archive)


def field(package: Path, name: str) -> str:
    """Read one field of the package's control file."""
    asked = ["dpkg-deb", "--field", str(package), name]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def test_same_archive_gives_the_same_package(release: Release) -> None:
    """Byte for byte, whenever it is built."""
    first = build(ROOT, release).read_bytes()

    assert build(ROOT, release).read_bytes() == first


def test_package_names_its_release_and_needs_what_the_role_installs(release: Release) -> None:
    """One table of packages serves both."""
    package = build(ROOT, release)

    assert field(package, "Version") == "1.2.3"
    needed = field(package, "Depends").split(", ")
    assert {"kamailio", "kamailio-python3-modules", "kamailio-tls-modules"} <= set(needed)
    assert "util-linux" not in needed


def test_scripts_of_the_package_lay_down_its_own_release(release: Release, tmp_path: Path) -> None:
    """The name of the release is in them, and nothing to be replaced."""
    package = build(ROOT, release)
    subprocess.run(["dpkg-deb", "--control", str(package), str(tmp_path / "c")], check=True)

    assert "release='1.2.3'" in (tmp_path / "c/postinst").read_text()
    assert not [each for each in (tmp_path / "c").iterdir() if "@RELEASE@" in each.read_text()]


def test_checksums_name_the_package_too(release: Release, tmp_path: Path) -> None:
    """Beside the archive and the bill of materials."""
    add_debian_package(release, tmp_path)

    named = [line.split()[1] for line in (tmp_path / CHECKSUMS).read_text().splitlines()]
    assert named == [
        "inline-proxy-1.2.3.tar.gz",
        "inline-proxy_1.2.3_all.deb",
        "inline-proxy-1.2.3.sbom.cdx.json",
    ]


def test_build_without_its_tool_names_it(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive is there all the same."""
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(CannotBuild, match="dpkg-deb"):
        build(ROOT, release)
