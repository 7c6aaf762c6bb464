"""Keeping a verified connection open to every ClearIP site.

Run by a timer in a process of its own, so it alone may keep state between runs and may wait.
INVITEs never open a connection; only the OPTIONS sent here do. The answer to one shows the
certificate of its connection, and only a connection whose certificate carries the right name is
given to the calls.
"""

from collections.abc import Callable
from dataclasses import dataclass

from clearip_proxy.certificate_name import CertificateNames, carries
from clearip_proxy.certificate_reading import names_of
from clearip_proxy.ksr_log import KsrLog
from clearip_proxy.ksr_port import KsrPort
from clearip_proxy.ksr_sites import KsrSites
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy

FIRST_RETRY_MS = 1_000
"""How soon a site that is away is asked again; each time the double, up to the keep-alive."""
SETTLE_MS = 200
"""How long after a lost connection no new one is opened: until every process has seen the loss."""


@dataclass(slots=True)
class Watch:
    """What the keeper remembers of one site."""

    next_ms: int = 0
    sent_ms: int = 0
    retry_ms: int = FIRST_RETRY_MS
    checked: int = 0
    """The connection whose certificate was checked last."""


class SiteKeeper:
    """Sends OPTIONS, checks certificates, gives connections to the calls and takes them away."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: ClearIpPolicy,
        now: Callable[[], Moment],
        names: Callable[[str], CertificateNames] = names_of,
    ) -> None:
        self._ksr = ksr
        self._policy = policy
        self._now = now
        self._names = names
        self._log = KsrLog(ksr)
        self._sites = KsrSites(ksr)
        self._watches = {site: Watch() for site in policy.sites}
        self._sites.connecting(now().monotonic_ms + policy.response_timeout_ms)

    def tick(self) -> None:
        """Look after every site once."""
        now_ms = self._now().monotonic_ms
        for site, watch in self._watches.items():
            self._tend(site, watch, now_ms)

    def _tend(self, site: str, watch: Watch, now_ms: int) -> None:
        verified = self._sites.verified_connection(site)
        connection, _, answered_ms = self._sites.last_answer(site)
        if verified and not self._sites.is_open(verified):
            self._lose(site, watch, now_ms, "connection closed")
        elif verified and self._is_overdue(watch, answered_ms, now_ms):
            self._sites.close(verified)
            self._lose(site, watch, now_ms, "no answer to OPTIONS")
        elif connection not in {verified, watch.checked, 0}:
            self._check(site, watch, now_ms)
        if now_ms >= watch.next_ms:
            self._ask(site, watch, now_ms)

    def _is_overdue(self, watch: Watch, answered_ms: int, now_ms: int) -> bool:
        waited_ms = now_ms - watch.sent_ms
        return answered_ms < watch.sent_ms and waited_ms > self._policy.response_timeout_ms

    def _lose(self, site: str, watch: Watch, now_ms: int, reason: str) -> None:
        self._sites.forget(site)
        watch.retry_ms = FIRST_RETRY_MS
        self._sites.connecting(now_ms + SETTLE_MS + self._policy.response_timeout_ms)
        watch.next_ms = now_ms + SETTLE_MS
        self._log.fault_of_no_call(f"ClearIP site {site} is down: {reason}")

    def _check(self, site: str, watch: Watch, now_ms: int) -> None:
        """Give a connection to the calls, or close it, by the names in its certificate."""
        connection, certificate, _ = self._sites.last_answer(site)
        watch.checked = connection
        wanted = self._policy.server_name
        try:
            names = self._names(certificate)
        except ValueError:
            names = CertificateNames()
        if carries(names, wanted):
            self._sites.verify(site, connection, now_ms)
            watch.retry_ms = FIRST_RETRY_MS
            self._log.note_of_no_call(f"ClearIP site {site} is up: its certificate is for {names}")
            return
        self._sites.close(connection)
        self._log.fault_of_no_call(
            f"ClearIP site {site} is refused: its certificate is for {names}, "
            f"not for clearip.tls.server_name {wanted}"
        )

    def _ask(self, site: str, watch: Watch, now_ms: int) -> None:
        """Send OPTIONS, on the connection that is open or on a new one."""
        keepalive_ms = self._policy.keepalive_s * 1000
        watch.sent_ms = now_ms
        if self._sites.verified_connection(site):
            watch.next_ms = now_ms + keepalive_ms
        else:
            watch.next_ms = now_ms + watch.retry_ms
            watch.retry_ms = min(2 * watch.retry_ms, keepalive_ms)
        self._send_options(site)

    def _send_options(self, site: str) -> None:
        """Ask with the server name (SNI); the answer runs a callback with `site` at hand."""
        self._ksr.pvx.xavp_child_sets("tls", "server_name", self._policy.server_name)
        request = {
            "method": "OPTIONS",
            "ruri": site,
            "turi": site,
            "furi": f"sip:keepalive@{self._policy.domain}",
            "hdrs": "",
            "body": "",
            "evparam": site,
        }
        for name, value in request.items():
            self._ksr.pv.sets(f"$uac_req({name})", value)
        self._ksr.pv.seti("$uac_req(evroute)", 1)
        self._ksr.uac.uac_req_send()
