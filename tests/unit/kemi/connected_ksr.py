"""A Kamailio with verified connections to ClearIP sites."""

from typing import TypeVar

from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.sites.site_lines import Line
from unit.kemi.fake_ksr import FakeKsr

SITE = "sip:192.0.2.10:5061;transport=tls"
CONNECTION = 7
Ksr = TypeVar("Ksr", bound=FakeKsr)


def connected(ksr: Ksr, *others: Line) -> Ksr:
    """Give it the site with its connection, verified and open, and others after it."""
    lines = (Line(SITE, SITE, CONNECTION), *others)
    ksr.open_connections |= {line.connection for line in lines}
    sites = KsrSites(ksr)
    sites.publish_lines(lines)
    sites.connecting(0)
    return ksr
