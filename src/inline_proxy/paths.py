"""Where the parts of a release lie; a release is the repository's tree, deployed as it is."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
KAMAILIO: Final = ROOT / "kamailio"
KEMI: Final = ROOT / "kemi"
TEMPLATES: Final = ROOT / "templates"
