"""The cast and the house of the call flows: real Kamailio, real TLS, SIPp on both sides.

How to write a flow:

- One test per behaviour, `test_<condition>_<outcome>`, with one sentence that says what holds.
- `sipp.play(ROLE)` starts a target, `sipp.play(ROLE, to=proxy)` places a call; the roles are
  the scenarios in `roles/`. `role.at(q=0.5)` is the Contact that leads to a target.
- `clearip.redirects_to(...)` and `clearip.says(...)` script ClearIP, before the call is placed.
- `proxy` has the default configuration, `proxy_with(targets={...})` one with these changes; each
  lives as long as the session. `impatient_proxy` has short timers; `fresh_proxy` too, and is
  for one test alone, because a proxy remembers which ClearIP site has failed it.
- Each test has a called number of its own. It is part of every Call-ID, so the stand-in, the
  proxies and their logs are shared, and no test sees the messages of another.
- Scenarios say what a role does. What it got is checked here: `role.invite`, `role.received()`,
  `role.statuses`; and also what nobody got: `nobody.is_silent`, `clearip.was_asked_once()`.
- Nothing sleeps. `role.wait_for(...)`, `clearip.wait_for(...)` and `role.cue()` set the order.

When a test fails, the traces of all its roles and the proxy's log of its calls are printed.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inline_proxy.lab.certificates import CertificateAuthority, write_lab_files
from sipp.clearip import ClearIp, Site, sites
from sipp.invariants import prove_records_are_valid, prove_what_always_holds
from sipp.leg import Leg, leg_lab
from sipp.load.lab import LoadLab, load_lab, precedence
from sipp.network import NotRoot, enter_own_network
from sipp.proxy import Config, Proxies, Proxy
from sipp.sipp import Sipp, Stage
from sipp.tls_bridge import Bridges, Certificate
from sipp.wire import Wire

ProxyWith = Callable[..., Proxy]
IMPATIENT: Config = {
    "clearip": {"response_timeout_ms": 500},
    "targets": {
        "no_response_timeout_ms": 700,
        "answer_timeout_ms": 1000,
        "search_timeout_ms": 1600,
    },
}
NUMBERS = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let somebody ask for the long look at what takes a short one by default."""
    parser.addoption("--long", action="store_true", help="more calls, more reconnects")


@pytest.fixture(scope="session")
def _own_network() -> None:
    """Nothing that the flows start shares a port with anything else on the machine."""
    try:
        enter_own_network()
    except (NotRoot, OSError) as fault:
        pytest.exit(str(fault), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(scope="session")
def authority() -> CertificateAuthority:
    """Who vouches for ClearIP and for targets that are called over TLS."""
    return CertificateAuthority.create()


@pytest.fixture(scope="session")
def certificate(
    authority: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory
) -> Certificate:
    """The certificate of ClearIP and of such targets."""
    directory = tmp_path_factory.mktemp("certificate")
    files = Certificate(directory / "certificate.pem", directory / "key.pem")
    authority.issue().write(files.certificate, files.private_key)
    return files


@pytest.fixture(scope="session")
def clearip_sites(_own_network: None, certificate: Certificate) -> Iterator[tuple[Site, ...]]:
    """Two ClearIP sites."""
    with sites(certificate) as opened:
        yield opened


@pytest.fixture(scope="session")
def proxies(
    _own_network: None,
    authority: CertificateAuthority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxies]:
    """Every proxy that a test of this session has asked for."""
    directory = tmp_path_factory.mktemp("proxies")
    ca_file = directory / "ca.pem"
    ca_file.write_bytes(authority.pem)
    running = Proxies(directory, ca_file)
    yield running
    running.stop()
    prove_records_are_valid(directory)


@pytest.fixture(scope="session")
def stage(_own_network: None, certificate: Certificate) -> Iterator[Stage]:
    """What the roles of all tests share."""
    bridges = Bridges()
    yield Stage(bridges, certificate)
    bridges.stop()


@pytest.fixture
def proxy_with(proxies: Proxies) -> ProxyWith:
    """Give the proxy with changes to the configuration, part by part."""

    def with_changes(**changes: object) -> Proxy:
        return proxies.with_changes(changes)

    return with_changes


@pytest.fixture
def proxy(proxies: Proxies, clearip_sites: tuple[Site, ...]) -> Proxy:
    """The proxy as most sites run it; it listens on IPv6 too."""
    assert clearip_sites
    return proxies.with_changes({})


@pytest.fixture
def impatient_proxy(proxies: Proxies, clearip_sites: tuple[Site, ...]) -> Proxy:
    """A proxy with timers that a test can outwait."""
    assert clearip_sites
    return proxies.with_changes(IMPATIENT)


@pytest.fixture
def fresh_proxy(proxies: Proxies, clearip_sites: tuple[Site, ...]) -> Iterator[Proxy]:
    """An impatient proxy that knows nothing yet, for tests in which ClearIP fails.

    A proxy remembers which site has left calls unanswered, and lets it rest.
    """
    assert clearip_sites
    proxy = proxies.fresh(IMPATIENT)
    yield proxy
    proxy.stop()


@pytest.fixture
def leg(
    _own_network: None, tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority
) -> Iterator[Leg]:
    """ClearIP sites that misbehave, and a proxy, for one test alone."""
    with leg_lab(tmp_path_factory.mktemp("leg"), authority) as lab:
        yield lab


@pytest.fixture
def lab(_own_network: None, tmp_path: Path, authority: CertificateAuthority) -> Iterator[LoadLab]:
    """ClearIP's stand-in, which signs, and the carriers."""
    files = write_lab_files(tmp_path, authority.issue())
    with precedence(), load_lab(tmp_path, files) as running:
        yield running


@pytest.fixture
def wire(_own_network: None) -> Iterator[Wire]:
    """The proxy's host behind its packet filter, and the world outside."""
    laid = Wire.lay()
    yield laid
    laid.take_down()


@pytest.fixture
def number() -> str:
    """The number that this test calls, and no other."""
    return f"+1470555{next(NUMBERS):04}"


@pytest.fixture
def clearip(clearip_sites: tuple[Site, ...], number: str) -> ClearIp:
    """ClearIP, as far as this test's calls go."""
    return ClearIp(number, clearip_sites)


@pytest.fixture
def sipp(
    stage: Stage, number: str, tmp_path: Path, proxies: Proxies, clearip: ClearIp
) -> Iterator[Sipp]:
    """Start roles; at the end, prove what holds for every flow."""
    cast = Sipp(stage, number, tmp_path)
    yield cast
    mute = proxies.mute(cast.unanswered())
    cast.leave()
    stories = [*cast.stories(), clearip.story(), ("the proxy's log", proxies.log_of(number))]
    stories += [("what the mute proxy is doing", mute)] if mute else []
    # Captured: pytest shows it when the test has failed.
    sys.stdout.writelines(f"===== {name}: {story}\n" for name, story in stories)
    prove_what_always_holds(cast.cast, clearip)
