"""Releases side by side on a host, in a folder that stands for its root."""

import os
from pathlib import Path

import pytest

from inline_proxy.installation import SERVICE, Installation, NoSuchRelease


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A host with the releases 1.0 and 1.1, and a systemctl that does nothing."""
    for name in ("1.0", "1.1"):
        unit = tmp_path / "opt/inline-proxy/releases" / name / "packaging/inline-proxy.service"
        unit.parent.mkdir(parents=True)
        unit.write_text(f"of {name}")
    (tmp_path / "etc/systemd/system").mkdir(parents=True)
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text("#!/bin/sh\n")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{systemctl.parent}{os.pathsep}{os.environ['PATH']}")
    return Installation(tmp_path)


def test_release_becomes_the_current_one_with_its_unit(installation: Installation) -> None:
    """And the one before stays where it is."""
    installation.point_to("1.0")
    installation.point_to("1.1")

    assert installation.current_release == "1.1"
    assert installation.current.resolve() == installation.release("1.1").resolve()
    assert (installation.units / SERVICE).read_text() == "of 1.1"
    assert installation.release("1.0").is_dir()


def test_interrupted_switch_does_not_hinder_the_next(installation: Installation) -> None:
    """What it left behind is replaced."""
    installation.current.with_name("current.new").symlink_to("nowhere")

    installation.point_to("1.0")

    assert installation.current_release == "1.0"


def test_host_without_a_release_has_no_current_one(installation: Installation) -> None:
    """Nothing is linked before the first switch."""
    assert installation.current_release is None


def test_unknown_release_is_refused_with_those_there_are(installation: Installation) -> None:
    """Nothing is changed."""
    with pytest.raises(NoSuchRelease, match=r"2\.0 is not installed; allowed: 1\.0, 1\.1"):
        installation.point_to("2.0")

    assert installation.current_release is None
    assert not (installation.units / SERVICE).exists()
