"""The software bill of materials (CycloneDX 1.5): what a release needs from the distribution.

Nothing of others is inside the archive; every component is a package of the host's own
distribution, which keeps it up to date. The list is the one that the installation reads.
"""

import json
from pathlib import Path
from typing import Any

from inline_proxy import __version__

PACKAGES = Path("ansible/roles/inline_proxy/vars/packages.json")
"""The table of packages by family of distributions; JSON, so that nothing is needed to read it."""


def bill_of_materials(root: Path, name: str) -> str:
    """Return the list as JSON; the same text for the same release."""
    families: dict[str, Any] = json.loads((root / PACKAGES).read_text())
    components = [
        _package(family.lower(), package)
        for family, table in sorted(families["inline_proxy_packages"].items())
        for package in sorted(table)
    ]
    return json.dumps(_document(name, components), indent=1) + "\n"


def _document(name: str, components: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": f"inline-proxy@{name}",
                "name": "inline-proxy",
                "version": __version__,
                "licenses": [{"license": {"id": "GPL-2.0-or-later"}}],
            }
        },
        "components": components,
        "dependencies": [
            {
                "ref": f"inline-proxy@{name}",
                "dependsOn": [component["bom-ref"] for component in components],
            }
        ],
    }


def _package(family: str, package: str) -> dict[str, str]:
    kind = "deb/debian" if family == "debian" else "rpm/redhat"
    address = f"pkg:{kind}/{package}"
    return {"type": "library", "bom-ref": address, "name": package, "purl": address}
