"""A keeper of ClearIP sites, with a clock and a Kamailio of the test's own."""

from collections.abc import Mapping

from clearip_proxy.ksr.keeper import Helpers, SiteKeeper
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.sites.certificate_name import CertificateNames
from clearip_proxy.sites.handshake_run import Finding
from clearip_proxy.sites.site_status import SiteStatus
from unit.kemi.connected_ksr import SITE
from unit.kemi.fake_ksr import FakeKsr

POLICY = ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000, sites=(SITE,), keepalive_s=30)
NAMED = "sip:sip.clearip.com:5061;transport=tls"
ADDRESSES = ("sip:192.0.2.1:5061;transport=tls", "sip:192.0.2.2:5061;transport=tls")


class DoneHandshake:
    """A handshake that was over at once."""

    def __init__(self, finding: Finding) -> None:
        self._finding = finding

    def finding(self) -> Finding:
        """What it has shown."""
        return self._finding


class Lab:
    """A keeper, its clock, its Kamailio, and what a handshake would show."""

    def __init__(self, policy: ClearIpPolicy = POLICY) -> None:
        self.ms = 1_000
        self.ksr = FakeKsr()
        numbers = SharedNumbers()
        self.sites = KsrSites(self.ksr, numbers)
        self.finding = Finding(certificate="sip.clearip.com")
        self.looked_at: list[object] = []
        self.keeper = SiteKeeper(
            self.ksr,
            policy,
            lambda: Moment(self.ms, self.ms // 1000),
            Helpers(self.names, self.shake_hands),
            numbers,
        )

    @staticmethod
    def names(certificate: str) -> CertificateNames:
        """The certificate is its own only name; without one it is none."""
        if not certificate:
            raise ValueError(certificate)
        return CertificateNames((certificate,))

    def shake_hands(self, site: Mapping[str, object]) -> DoneHandshake:
        """Look at a site from outside Kamailio."""
        self.looked_at.append(site["host"])
        return DoneHandshake(self.finding)

    def tick_at(self, ms: int) -> None:
        """Let the keeper look at its sites."""
        self.ms = ms
        self.keeper.tick()

    def answer(
        self, connection: int, certificate: str = "sip.clearip.com", hop: str = SITE
    ) -> None:
        """Let an address answer OPTIONS on an open connection."""
        self.ksr.open_connections.add(connection)
        self.sites.answered(hop, connection, certificate, self.ms)

    def asked(self) -> int:
        """How many OPTIONS were sent."""
        return self.ksr.names().count("uac_req_send")

    def usable(self) -> list[int]:
        """The connections that calls may use."""
        return [line.connection for group in self.sites.lines() for line in group]

    def status(self, hop: str = SITE) -> SiteStatus:
        """What the operator sees."""
        return SiteStatus.from_text(str(self.ksr.tables["site_status"][hop]))


def lab_with_site_up() -> Lab:
    """A site that is up."""
    lab = Lab()
    lab.tick_at(1_000)
    lab.answer(5)
    lab.tick_at(1_200)
    return lab
