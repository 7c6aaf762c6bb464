"""Finding the addresses of the ClearIP sites, as often as their TTL says.

Run by a timer in a process of its own, which may wait for a slow name server: no call and no
connection waits with it. A site has a port, so its host is looked up for addresses alone
(RFC 3263 §4.2). While the DNS does not answer, the addresses that were found last stay.
"""

from collections.abc import Callable
from ipaddress import ip_address

from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.location.dns_records import DnsRecords
from clearip_proxy.location.locating import LookUpFailed, locate
from clearip_proxy.location.next_hop import needs_look_up
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.sip.uri import parse_uri

RETRY_MS = 5_000
"""When a name that could not be looked up is asked for again."""


class SiteFinder:
    """Looks names up and keeps what they lead to for the keeper."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: ClearIpPolicy,
        now: Callable[[], Moment],
        records: Callable[[], DnsRecords] = DnsRecords,
        numbers: SharedNumbers | None = None,
    ) -> None:
        self._log = KsrLog(ksr)
        self._sites = KsrSites(ksr, numbers)
        self._versions = policy.ip_versions
        self._now = now
        self._records = records
        self._next_ms = {site: 0 for site in policy.sites if needs_look_up(parse_uri(site))}

    def tick(self) -> None:
        """Look up the names whose time has come."""
        for site, next_ms in self._next_ms.items():
            if self._now().monotonic_ms >= next_ms:
                again_ms = self._look_up(site)
                self._next_ms[site] = self._now().monotonic_ms + again_ms

    def _look_up(self, site: str) -> int:
        """Look up one site; return in what time it is to be looked up again."""
        known, known_fault = self._sites.addresses(site)
        records = self._records()
        try:
            found = self._addresses(site, records)
        except LookUpFailed as failure:
            found, fault = known, f"its name cannot be looked up: {failure}"
        else:
            fault = "" if found else "its name leads to no address that can be used"
        # Those that are known keep their place: name servers hand them out in any order.
        hops = (
            *(hop for hop in known if hop in found),
            *(hop for hop in found if hop not in known),
        )
        self._sites.learn_addresses(site, hops, fault)
        if fault and fault != known_fault:
            self._log.fault_of_no_call(f"ClearIP site {site}: {fault}")
        elif hops != known:
            self._log.note_of_no_call(f"ClearIP site {site} is at {' '.join(hops)}")
        return RETRY_MS if fault else records.ttl_s * 1000

    def _addresses(self, site: str, records: DnsRecords) -> tuple[str, ...]:
        """Return the URIs of a site's addresses that the proxy has a socket for."""
        return tuple(
            address.uri
            for address in locate(parse_uri(site), records)
            if ip_address(address.host).version in self._versions
        )
