"""Virtual machines of both Debians, and who lives beside them.

To be run by scripts/acceptance, which makes their images and the network that they join.
INLINE_PROXY_HOST_IMAGES says where the images lie: `bookworm=PATH trixie=PATH`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosts.neighbours import Neighbours
from hosts.releases import packed
from hosts.virtual_host import VirtualHost

IMAGES = dict(
    entry.split("=", 1) for entry in os.environ.get("INLINE_PROXY_HOST_IMAGES", "").split()
)
NUMBERS = {"bookworm": 52, "trixie": 53}
"""By the suite of a machine: the last part of its address; its neighbours' has 100 more."""
INSTALLATION_LIMIT_S = 1800


@pytest.fixture(scope="session", params=sorted(IMAGES))
def suite(request: pytest.FixtureRequest) -> str:
    """The Debian of a machine."""
    return str(request.param)


@pytest.fixture(scope="session")
def neighbours(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """ClearIP, a carrier and a switch."""
    directory = tmp_path_factory.mktemp(f"neighbours-{suite}")
    living = Neighbours(f"10.77.0.{100 + NUMBERS[suite]}", directory)
    living.arrive()
    yield living
    living.leave()


@pytest.fixture(scope="session")
def bare_machine(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualHost]:
    """A machine that has just been booted for the first time."""
    number, directory = NUMBERS[suite], tmp_path_factory.mktemp(f"machine-{suite}")
    machine = VirtualHost(f"vm{number}", f"10.77.0.{number}", Path(IMAGES[suite]), directory)
    machine.create()
    try:
        machine.boot()
        yield machine
    finally:
        machine.destroy()


@pytest.fixture(scope="session")
def machine(
    bare_machine: VirtualHost, neighbours: Neighbours, tmp_path_factory: pytest.TempPathFactory
) -> VirtualHost:
    """A machine that install.sh has installed the proxy on; prints how long it took."""
    archive = packed(tmp_path_factory.mktemp("release"))
    config = tmp_path_factory.mktemp("config") / "config.yaml"
    text = json.dumps(neighbours.configuration)
    config.write_text(text.replace("/etc/inline-proxy/", "/usr/local/share/"))
    started = time.monotonic()
    _copy(bare_machine, (archive, config), "/root/")
    _copy(bare_machine, (neighbours.files.ca,), "/usr/local/share/")
    bare_machine.run(
        "mkdir /root/release && tar -xzf /root/inline-proxy-*.gz -C /root/release --strip 1"
    )
    command = "/root/release/install.sh --config /root/config.yaml"
    installed = bare_machine.try_run(command, timeout_s=INSTALLATION_LIMIT_S)
    log = bare_machine.try_run(
        "tail -n 60 /var/log/inline-proxy-install.log; journalctl -u inline-proxy -n 40 --no-pager"
    ).out
    assert installed.code == 0, installed.out + installed.err + log
    assert neighbours.call(bare_machine.address)
    minutes = (time.monotonic() - started) / 60
    sys.stdout.write(f"{bare_machine.name}: {minutes:.1f} minutes to the first call, emulated\n")
    return bare_machine


def _copy(host: VirtualHost, files: tuple[Path, ...], folder: str) -> None:
    asked = ["scp", "-q", *host.ssh_options, *map(str, files), f"root@{host.address}:{folder}"]
    subprocess.run(asked, check=True, stdin=subprocess.DEVNULL)
