"""The leg to ClearIP on its own: sites that come, go and misbehave, and a proxy that asks them.

Each test has sites and a proxy for itself, as it breaks them. Calls are refused by ClearIP where
nothing else matters (`REFUSED`), so that no target is needed.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from clearip_proxy.sites.site_status import STATUS, SiteState, SiteStatus
from inline_proxy.certificates import CertificatePair
from inline_proxy.lab.answer import Answer
from inline_proxy.lab.certificates import CLEARIP_NAMES, LIFETIME, CertificateAuthority
from sipp.clearip import HOST, ClearIp
from sipp.control import control
from sipp.leg_site import LegSite, TlsServer
from sipp.place import Place
from sipp.proxy import Config, Proxy, base_config, merged
from sipp.role import FIRST_FINAL, INITIAL, Role
from sipp.waiting import PATIENCE_S, wait_until

Running = TypeVar("Running")
REFUSED = Answer(603, "Decline")
SITE_PORTS = itertools.count(6300)
PROXY_PORTS = itertools.count(7300, 10)
RESPONSE_TIMEOUT_MS = 1000
KEEPALIVE_S = 1
TOLERANCE_MS = 800
"""What the keeper's interval, the settling and a busy machine may add to a time."""


class Leg:
    """The sites and the proxies of one test."""

    def __init__(self, directory: Path, authority: CertificateAuthority, ends: ExitStack) -> None:
        self._directory = directory
        self._authority = authority
        self._ends = ends
        self.ca_file = directory / "authority.pem"
        self.ca_file.write_bytes(authority.pem)

    # Sites

    def site(
        self, *names: str, lifetime: timedelta = LIFETIME, server: TlsServer | None = None
    ) -> LegSite:
        """Make a site that is open; `names` are those of its certificate, else ClearIP's."""
        shown = names or CLEARIP_NAMES
        return self.site_with(self._authority.issue(shown, lifetime=lifetime), server)

    def site_with(self, pair: CertificatePair, server: TlsServer | None = None) -> LegSite:
        """Make a site that is open, and shows a certificate."""
        site = self.closed_site(pair, server)
        site.open()
        return site

    def closed_site(
        self,
        pair: CertificatePair | None = None,
        server: TlsServer | None = None,
        *,
        host: str = HOST,
        port: int | None = None,
    ) -> LegSite:
        """Make a site where nobody listens yet, at a port of its own unless one is given."""
        port = port or next(SITE_PORTS)
        directory = self._directory / f"{host}-{port}"
        directory.mkdir()
        place = Place(host, port, "tls")
        site = LegSite(place, directory, pair or self._authority.issue(), server or TlsServer())
        self._ends.callback(site.close)
        return site

    def issue(self, *names: str) -> CertificatePair:
        """Issue a certificate for names, else for ClearIP's."""
        return self._authority.issue(names) if names else self._authority.issue()

    def client_certificate(self) -> tuple[Path, Path]:
        """Issue a certificate for the proxy itself; give its file and that of its key."""
        files = self._directory / "client.pem", self._directory / "client-key.pem"
        self.issue("proxy.example").write(*files)
        return files

    # The proxy

    def proxy(
        self, sites: Sequence[LegSite], *, prefix: Sequence[str] = (), **changes: object
    ) -> Proxy:
        """Start a proxy that asks these sites in this order; it is ready, they may not be.

        `prefix` goes before its command.
        """
        port = next(PROXY_PORTS)
        directory = self._directory / f"{port}"
        directory.mkdir()
        clearip: Config = {
            "sites": [{"host": site.host, "port": site.port} for site in sites],
            "response_timeout_ms": RESPONSE_TIMEOUT_MS,
            "keepalive_s": KEEPALIVE_S,
        }
        config = merged(merged(base_config(port, self.ca_file), {"clearip": clearip}), changes)
        proxy = Proxy.start(port, config, directory, prefix)
        self._ends.callback(proxy.stop)
        return proxy

    def connected(self, sites: Sequence[LegSite], **changes: object) -> Proxy:
        """Start a proxy, and wait until it may send calls to all of the sites."""
        proxy = self.proxy(sites, prefix=(), **changes)
        for site in sites:
            wait_until_up(proxy, site)
        return proxy

    def until_the_end(self, running: AbstractContextManager[Running]) -> Running:
        """Let something else run until the test ends."""
        return self._ends.enter_context(running)

    @staticmethod
    def clearip(number: str, sites: Sequence[LegSite], answer: Answer = REFUSED) -> ClearIp:
        """ClearIP as the calls to a number meet it: every site gives this answer."""
        clearip = ClearIp(number, tuple(site.site for site in sites))
        clearip.answers(answer)
        return clearip


@contextmanager
def leg_lab(directory: Path, authority: CertificateAuthority) -> Iterator[Leg]:
    """Give what a test of the leg needs, and end all of it on the way out."""
    with ExitStack() as ends:
        yield Leg(directory, authority, ends)


def lines_about(proxy: Proxy, site: LegSite, text: str) -> list[str]:
    """What the proxy has logged about a site, as far as it holds a text."""
    return [line for line in proxy.log().splitlines() if site.uri in line and text in line]


def wait_for_lines(
    proxy: Proxy, site: LegSite, text: str, count: int = 1, *, patience_s: float = PATIENCE_S
) -> list[str]:
    """Wait until the proxy has logged so many lines about a site that hold a text."""
    wait_until(
        lambda: len(lines_about(proxy, site, text)) >= count,
        f"the log says {count} times of {site.uri}: {text}",
        patience_s=patience_s,
    )
    return lines_about(proxy, site, text)


def wait_until_up(
    proxy: Proxy, site: LegSite, times: int = 1, *, patience_s: float = PATIENCE_S
) -> None:
    """Wait until the connection to a site has been verified so often."""
    wait_for_lines(proxy, site, "is up", times, patience_s=patience_s)


def wait_until_down(proxy: Proxy, site: LegSite, times: int = 1) -> None:
    """Wait until the connection to a site has been lost so often."""
    wait_for_lines(proxy, site, "is down", times)


def status_of(proxy: Proxy, site: LegSite) -> SiteStatus:
    """How the operator sees a site."""
    dump = control(proxy).call("htable.dump", STATUS)
    entries = {entry["name"]: entry["value"] for slot in dump for entry in slot["slot"]}
    return SiteStatus.from_text(entries[site.uri])


def wait_for_state(proxy: Proxy, site: LegSite, state: SiteState) -> SiteStatus:
    """Wait until the operator sees a site in a state."""
    wait_until(lambda: status_of(proxy, site).state is state, f"{site.uri} is {state}")
    return status_of(proxy, site)


def answered_after_ms(caller: Role) -> int:
    """How long after its INVITE a caller got the final response."""
    trace = caller.trace
    asked = next(entry for entry in trace if entry.message.method == "INVITE")
    answer = next(
        entry
        for entry in trace
        if entry.direction == "received"
        and entry.message.status >= FIRST_FINAL
        and entry.message.header("cseq") == INITIAL
    )
    return round(1000 * (answer.time - asked.time))
