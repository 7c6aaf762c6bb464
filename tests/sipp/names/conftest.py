"""Proxies that ask a DNS of the tests' own."""

from collections.abc import Iterator
from concurrent.futures import Executor

import pytest

from sipp.clearip import Site
from sipp.conftest import IMPATIENT
from sipp.names.dns_zone import ADDRESS, DnsZone, Domain
from sipp.names.own_mounts import thread_that_asks
from sipp.proxy import Proxies, Proxy

BY_NAME, BY_NAME_PORT = "tg-by-name", 9400
"""A trunk group that stands for a name, and where the target of a test listens for it."""


@pytest.fixture(scope="session")
def zone(_own_network: None) -> Iterator[DnsZone]:
    """The DNS that the proxies here ask."""
    with DnsZone() as zone:
        yield zone


@pytest.fixture(scope="session")
def asking_thread(zone: DnsZone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """What it starts asks that DNS."""
    assert zone.questions == []
    with thread_that_asks(ADDRESS, tmp_path_factory.mktemp("names")) as thread:
        yield thread


@pytest.fixture(scope="session")
def proxy(proxies: Proxies, asking_thread: Executor, clearip_sites: tuple[Site, ...]) -> Proxy:
    """A proxy that asks it."""
    assert clearip_sites
    changes = {"targets": {"aliases": {BY_NAME: f"sip:gateway.example:{BY_NAME_PORT}"}}}
    return asking_thread.submit(proxies.fresh, changes).result()


@pytest.fixture(scope="session")
def impatient_proxy(
    proxies: Proxies, asking_thread: Executor, clearip_sites: tuple[Site, ...]
) -> Proxy:
    """Another one, with timers that a test can outwait."""
    assert clearip_sites
    return asking_thread.submit(proxies.fresh, IMPATIENT).result()


@pytest.fixture
def domain(zone: DnsZone, number: str) -> Domain:
    """A domain that only this test uses."""
    return Domain(zone, f"target-{number[1:]}.example")
