"""The install.sh that is published beside an archive."""

import subprocess
from pathlib import Path

import pytest

from inline_proxy.release.archive import Release
from inline_proxy.release.install_script import CannotPublish, publish

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """A release that has been packed."""
    return Release("1.2.3+abc", tmp_path / "inline-proxy-1.2.3+abc.tar.gz")


def test_published_script_knows_where_its_release_lies(release: Release) -> None:
    """Nothing else of it differs from the tree's."""
    script = publish(ROOT, release, "https://example.net/proxy/")

    own = (ROOT / "install.sh").read_text().splitlines()
    assert [line for line in script.read_text().splitlines() if line not in own] == [
        "published_at=https://example.net/proxy",
        "published_version=1.2.3+abc",
    ]
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


@pytest.mark.parametrize("url", ["", "example.net", "https://example.net/'; reboot; '"])
def test_what_is_no_address_is_refused(release: Release, url: str) -> None:
    """Nobody's shell is to run it."""
    with pytest.raises(CannotPublish, match="allowed: https://HOST/FOLDER"):
        publish(ROOT, release, url)
