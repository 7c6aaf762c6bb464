"""The archive of a support bundle."""

import io
import os
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PRIVATE_FILE: Final = 0o600


def write_archive(path: Path, parts: Mapping[str, str]) -> None:
    """Write a new archive that its owner alone may read; raises `OSError`, also where one is."""
    folder = path.name.partition(".")[0]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in parts.items():
            data = text.encode(errors="replace")
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mtime, member.mode = len(data), int(time.time()), PRIVATE_FILE
            archive.addfile(member, io.BytesIO(data))
