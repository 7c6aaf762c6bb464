"""The release archive of this tree, and of what is unpacked from it."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from inline_proxy.release.archive import CHECKSUMS, Release, pack
from inline_proxy.release.contents import MANIFEST, PARTS, NotATree

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The release of a copy of this tree, which needs no git."""
    tree = tmp_path_factory.mktemp("tree")
    parts = [part.rstrip("/") for part in PARTS if (ROOT / part).exists()]
    for part in parts:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tree / part)
    files = (
        str(each.relative_to(tree)) for each in tree.rglob("*") if "__pycache__" not in str(each)
    )
    (tree / MANIFEST).write_text("".join(f"-  {file}\n" for file in files))
    return pack(tree, tmp_path_factory.mktemp("packed"))


@pytest.fixture
def unpacked(packed: Release, tmp_path: Path) -> Path:
    """The folder that its archive holds."""
    subprocess.run(["tar", "-xzf", packed.archive, "-C", tmp_path], check=True)
    return tmp_path / f"inline-proxy-{packed.name}"


def test_unpacked_archive_packs_to_the_same_bytes(
    packed: Release, unpacked: Path, tmp_path: Path
) -> None:
    """Whoever packs it, wherever and when: a checksum is worth something."""
    os.utime(unpacked / "README.md", (1, 1))

    again = pack(unpacked, tmp_path / "again")

    assert again.name == packed.name
    assert again.archive.read_bytes() == packed.archive.read_bytes()


def test_archive_holds_what_runs_and_what_installs_it(unpacked: Path) -> None:
    """And neither tests nor what was built here."""
    wanted = ("install.sh", "kemi/proxy.py", "templates/kamailio.cfg.j2", "ansible/site.yml")

    assert [name for name in wanted if not (unpacked / name).is_file()] == []
    assert {each.name for each in unpacked.iterdir()} & {"tests", "build", ".git"} == set()
    assert not (unpacked / "kemi/stubs").exists()


def test_manifest_has_the_checksum_of_every_file(unpacked: Path) -> None:
    """Only what describes the archive itself is not in it."""
    lines = (unpacked / MANIFEST).read_text().splitlines()
    sums = {name: said for said, _, name in (line.partition("  ") for line in lines)}
    there = {str(f.relative_to(unpacked)) for f in unpacked.rglob("*") if f.is_file()}

    assert there - sums.keys() == {"MANIFEST", "RELEASE", "sbom.cdx.json"}
    assert [
        name
        for name, said in sums.items()
        if hashlib.sha256((unpacked / name).read_bytes()).hexdigest() != said
    ] == []


def test_checksums_beside_the_archive_are_right(packed: Release) -> None:
    """As sha256sum(1) reads them."""
    for line in (packed.archive.parent / CHECKSUMS).read_text().splitlines():
        said, _, name = line.partition("  ")
        content = (packed.archive.parent / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == said


def test_bill_of_materials_names_every_package(unpacked: Path) -> None:
    """The same ones that the installation asks for."""
    bill = json.loads((unpacked / "sbom.cdx.json").read_text())
    addresses = {component["purl"] for component in bill["components"]}

    assert bill["bomFormat"] == "CycloneDX"
    assert {"pkg:deb/debian/kamailio", "pkg:deb/debian/python3-click"} <= addresses
    assert set(bill["dependencies"][0]["dependsOn"]) == addresses


def test_other_content_is_another_release(packed: Release, unpacked: Path, tmp_path: Path) -> None:
    """A changed tree that is not tagged must not pass for the one before."""
    shutil.copytree(unpacked, tmp_path / "changed")
    (tmp_path / "changed/RELEASE").unlink()
    (tmp_path / "changed/README.md").write_text("changed")

    assert pack(tmp_path / "changed", tmp_path / "again").name != packed.name


def test_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """With what would do."""
    with pytest.raises(NotATree, match="neither a clone nor an unpacked release archive"):
        pack(tmp_path, tmp_path / "again")
