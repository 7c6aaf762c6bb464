"""The release archive that hosts are given."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def packed(folder: Path) -> Path:
    """Pack this tree as a release into a folder; return the archive."""
    packing = [str(ROOT / "scripts/release"), "-o", str(folder)]
    done = subprocess.run(packing, capture_output=True, text=True, check=True)
    return next(Path(line) for line in done.stdout.splitlines() if line.endswith(".tar.gz"))
