"""Fresh Debian hosts, who lives beside them, and the release that is installed on them.

To be run by scripts/test, which makes the images of the hosts and the network that they join.
INLINE_PROXY_HOST_IMAGES says where the images lie: `bookworm=PATH trixie=PATH`.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours

ROOT = Path(__file__).resolve().parents[2]
IMAGES = dict(
    entry.split("=", 1) for entry in os.environ.get("INLINE_PROXY_HOST_IMAGES", "").split()
)
NUMBERS = {"bookworm": 12, "trixie": 13}
"""By the suite of a host: the last part of its address; its neighbours' has 100 more."""


@pytest.fixture(scope="session", params=sorted(IMAGES))
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian of a host."""
    return str(request.param)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release archive of this tree."""
    folder = tmp_path_factory.mktemp("release")
    packing = [str(ROOT / "scripts/release"), "-o", str(folder)]
    packed = subprocess.run(packing, capture_output=True, text=True, check=True)
    return Path(packed.stdout.strip())


@pytest.fixture(scope="session")
def neighbours(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """ClearIP, a carrier and a switch."""
    directory = tmp_path_factory.mktemp(f"neighbours-{suite}")
    living = Neighbours(f"10.77.0.{100 + NUMBERS[suite]}", directory)
    living.arrive()
    yield living
    living.leave()


@pytest.fixture(scope="session")
def bare_host(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshHost]:
    """A host that has just been booted for the first time."""
    directory = tmp_path_factory.mktemp(f"host-{suite}")
    host = FreshHost(
        f"deb{NUMBERS[suite]}", f"10.77.0.{NUMBERS[suite]}", Path(IMAGES[suite]), directory
    )
    host.create()
    try:
        host.boot()
        yield host
    finally:
        host.destroy()
