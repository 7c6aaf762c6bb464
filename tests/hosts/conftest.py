"""Fresh Debian hosts, who lives beside them, and the release that is installed on them.

To be run by scripts/test, which makes the images of the hosts and the network that they join.
INLINE_PROXY_HOST_IMAGES says where the images lie: `bookworm=PATH trixie=PATH`.
"""

import os
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours
from hosts.playbook import deploy, variables
from hosts.releases import packed

MINUTES_TO_FIRST_CALL = 5
JOURNAL = (
    "journalctl --no-pager --output=short-precise --lines=150 -u 'inline-proxy*' -u keepalived"
)
IMAGES = dict(
    entry.split("=", 1) for entry in os.environ.get("INLINE_PROXY_HOST_IMAGES", "").split()
)
NUMBERS = {"bookworm": 12, "trixie": 13}
"""By the suite of a host: the last part of its address; its neighbours' has 100 more."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what the services on its hosts have logged."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for name, host in item.funcargs.items():
            if isinstance(host, FreshHost):
                report.sections.append((f"journal of {name}", host.try_run(JOURNAL).out))
    return report


@pytest.fixture(scope="session", params=sorted(IMAGES))
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian of a host."""
    return str(request.param)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release archive of this tree."""
    return packed(tmp_path_factory.mktemp("release"))


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
    with booted(suite, 0, tmp_path_factory.mktemp(f"host-{suite}")) as host:
        yield host


@pytest.fixture(scope="session")
def other_bare_host(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshHost]:
    """Another one."""
    with booted(suite, 10, tmp_path_factory.mktemp(f"other-{suite}")) as host:
        yield host


@pytest.fixture(scope="session")
def third_bare_host(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshHost]:
    """And one more."""
    with booted(suite, 20, tmp_path_factory.mktemp(f"third-{suite}")) as host:
        yield host


@contextmanager
def booted(suite: str, distance: int, directory: Path) -> Iterator[FreshHost]:
    """A host of this Debian, so far from the first one's address."""
    number = NUMBERS[suite] + distance
    host = FreshHost(f"deb{number}", f"10.77.0.{number}", Path(IMAGES[suite]), directory)
    host.create()
    try:
        host.boot()
        yield host
    finally:
        host.destroy()


@pytest.fixture(scope="session")
def host(
    bare_host: FreshHost,
    archive: Path,
    neighbours: Neighbours,
    tmp_path_factory: pytest.TempPathFactory,
) -> FreshHost:
    """A host that the playbook has installed the proxy on; prints how long it took."""
    ca = bare_host.root / "etc/inline-proxy/lab-ca.pem"
    ca.parent.mkdir()
    ca.write_bytes(neighbours.files.ca.read_bytes())
    started = time.monotonic()
    recap = deploy(bare_host, tmp_path_factory.mktemp("ansible"), variables(archive, neighbours))
    assert recap.failed == 0, recap.output
    assert neighbours.call(bare_host.address), bare_host.try_run("journalctl -u inline-proxy").out
    minutes = (time.monotonic() - started) / 60
    sys.stdout.write(f"{bare_host.name}: {minutes:.1f} minutes from bare host to first call\n")
    assert minutes < MINUTES_TO_FIRST_CALL
    return bare_host
