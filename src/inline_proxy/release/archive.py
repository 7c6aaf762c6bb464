"""The release archive: the same tree gives the same bytes, whoever packs it, wherever and when."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from inline_proxy.release.bill_of_materials import bill_of_materials
from inline_proxy.release.contents import IDENTITY, MANIFEST, files_of, manifest, release_name

EPOCH = 1_735_689_600
"""The time of every file in an archive, 2025-01-01: when it was packed says nothing."""
BILL_OF_MATERIALS = "sbom.cdx.json"
CHECKSUMS = "SHA256SUMS"


class Release(NamedTuple):
    """A release that has been packed."""

    name: str
    archive: Path


def pack(root: Path, output: Path) -> Release:
    """Write archive, bill of materials and checksums into a folder; raises `NotATree`."""
    files = files_of(root)
    listed = manifest(root, files)
    name = release_name(root, listed)
    materials = bill_of_materials(root, name)
    made = {IDENTITY: f"{name}\n", MANIFEST: listed, BILL_OF_MATERIALS: materials}
    output.mkdir(parents=True, exist_ok=True)
    archive = output / f"inline-proxy-{name}.tar.gz"
    members = sorted((*_read(root, files), *_generated(made)), key=lambda each: each[0].name)
    archive.write_bytes(_tar_gz(members, f"inline-proxy-{name}"))
    release = Release(name, archive)
    materials_beside(release).write_text(materials)
    write_checksums(output, archive, materials_beside(release))
    return release


def materials_beside(release: Release) -> Path:
    """Return where the bill of materials lies beside the archive, which holds it too."""
    return release.archive.with_name(f"inline-proxy-{release.name}.{BILL_OF_MATERIALS}")


def write_checksums(output: Path, *files: Path) -> None:
    """Write the SHA-256 of each of these files beside them."""
    sums = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    (output / CHECKSUMS).write_text("".join(sums))


def _read(root: Path, files: tuple[Path, ...]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for file in files:
        is_program = (root / file).stat().st_mode & 0o100 != 0
        yield _member(str(file), (root / file).read_bytes(), 0o755 if is_program else 0o644)


def _generated(texts: dict[str, str]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for name, text in texts.items():
        yield _member(name, text.encode(), 0o644)


def _member(name: str, content: bytes, mode: int) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), mode, EPOCH
    info.uname = info.gname = "root"
    return info, content


def _tar_gz(members: list[tuple[tarfile.TarInfo, bytes]], folder: str) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", 9, packed, mtime=EPOCH) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for info, content in members:
            info.name = f"{folder}/{info.name}"
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()
