"""Keeping a verified connection open to every address of every ClearIP site.

Run by a timer in a process of its own, so it alone may keep state between runs. INVITEs never
open a connection; only the OPTIONS sent here do. The answer to one shows the certificate of its
connection, and only a connection whose certificate carries the right name is given to the calls.
An address that does not come up is looked at by a program outside Kamailio first: it finds out
why, and Kamailio connects only where that has gone well.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.lost_calls import CallsOfLostConnections
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.sip.uri import parse_uri
from clearip_proxy.sites.certificate_name import CertificateNames, carries
from clearip_proxy.sites.certificate_reading import names_of
from clearip_proxy.sites.handshake_run import Finding, HandshakeRun, Run
from clearip_proxy.sites.site_lines import Line
from clearip_proxy.sites.site_status import Count, SiteState
from clearip_proxy.sites.site_watch import SETTLE_MS, Watch, hops_of


class Helpers(NamedTuple):
    """What the keeper needs besides Kamailio."""

    names: Callable[[str], CertificateNames] = names_of
    """Reads the names of a certificate in PEM; raises `ValueError` for what is none."""
    shake_hands: Callable[[Mapping[str, object]], Run] = HandshakeRun


OUTSIDE = Helpers()
LOOK_INTERVAL_MS = 1_000
"""Between two looks at everything, where no process has noted a change meanwhile."""


class SiteKeeper:
    """Sends OPTIONS, checks certificates, gives connections to the calls and takes them away."""

    def __init__(
        self,
        ksr: KsrPort,
        policy: ClearIpPolicy,
        now: Callable[[], Moment],
        helpers: Helpers = OUTSIDE,
        numbers: SharedNumbers | None = None,
    ) -> None:
        self._ksr = ksr
        self._policy = policy
        self._now = now
        self._helpers = helpers
        self._log = KsrLog(ksr)
        self._numbers = numbers or SharedNumbers()
        self._sites = KsrSites(ksr, self._numbers)
        self._lost_calls = CallsOfLostConnections(self._sites, policy.receives_at)
        self._watches: dict[str, Watch] = {}
        self._lines: tuple[Line, ...] = ()
        self._look_ms = self._changes = 0
        """When the next look is due, and the changes that the last one knew of."""
        self._sites.connecting(now().monotonic_ms + policy.response_timeout_ms)

    def tick(self) -> None:
        """Look after every address once; while all is well, at the connections alone."""
        now = self._now()
        if self._is_calm(now.monotonic_ms):
            return
        self._look_ms = now.monotonic_ms + LOOK_INTERVAL_MS
        self._changes = self._numbers.site_changes
        self._follow_names(now)
        for watch in self._watches.values():
            self._tend(watch, now)
            self._show(watch, now)
        waited_for = (each for each in self._watches.values() if not each.connection)
        times = [watch.next_ms for watch in waited_for if not watch.is_unknown]
        self._sites.tries_at(min(times, default=0))
        self._publish_lines()

    def _is_calm(self, now_ms: int) -> bool:
        """Tell whether nothing has happened since the last look, and no time has come."""
        return (
            now_ms < self._look_ms
            and self._numbers.site_changes == self._changes
            and all(
                watch.is_calm(now_ms) and self._sites.is_open(watch.connection)
                for watch in self._watches.values()
            )
        )

    def states(self) -> dict[str, str]:
        """Return the state of each address by its URI."""
        return {hop: watch.state.value for hop, watch in self._watches.items()}

    def _follow_names(self, now: Moment) -> None:
        """Watch the addresses that the sites have now, in the order of the sites."""
        wanted = hops_of(self._policy.sites, self._sites.addresses, now.unix_s)
        if list(wanted) == list(self._watches):
            for hop, watch in wanted.items():
                self._watches[hop].fault = watch.fault
            return
        for hop in self._watches.keys() - wanted.keys():
            self._sites.unpublish(hop)
        if any(not watch.is_unknown for hop, watch in wanted.items() if hop not in self._watches):
            self._sites.connecting(now.monotonic_ms + self._policy.response_timeout_ms)
        self._watches = {hop: self._watches.get(hop, watch) for hop, watch in wanted.items()}

    def _publish_lines(self) -> None:
        lines = tuple(
            Line(watch.site, hop, watch.connection)
            for hop, watch in self._watches.items()
            if watch.connection
        )
        if lines != self._lines:
            self._lines = lines
            self._sites.publish_lines(lines)

    def _tend(self, watch: Watch, now: Moment) -> None:
        if watch.is_unknown:
            if watch.fault:  # the finder has logged it
                watch.enter(SiteState.DOWN, watch.fault, now.unix_s)
            return
        connection, answered_ms = self._sites.last_answer(watch.hop)
        watch.awaits_answer = answered_ms < watch.sent_ms
        if watch.connection and not self._sites.is_open(watch.connection):
            self._lose(watch, now, "connection closed")
        elif watch.connection and self._is_overdue(watch, answered_ms, now.monotonic_ms):
            self._sites.close(watch.connection)
            self._lose(watch, now, "no answer to OPTIONS")
        elif connection not in {watch.connection, watch.checked, 0}:
            self._check(watch, connection, now)
        finding = watch.handshake and watch.handshake.finding()
        if finding:
            self._found(watch, finding, now)
        elif now.monotonic_ms >= watch.next_ms:
            self._ask(watch, now)

    def _is_overdue(self, watch: Watch, answered_ms: int, now_ms: int) -> bool:
        waited_ms = now_ms - watch.sent_ms
        return answered_ms < watch.sent_ms and waited_ms > self._policy.response_timeout_ms

    def _lose(self, watch: Watch, now: Moment, reason: str) -> None:
        """Take a connection from the calls at once, and from those that wait for it."""
        now_ms, lost = now.monotonic_ms, watch.connection
        watch.is_lost(now_ms)
        self._publish_lines()
        self._sites.connecting(now_ms + SETTLE_MS + self._policy.response_timeout_ms)
        if self._lost_calls.tell(lost) and self._sites.was_silent(watch.hop, now_ms):
            self._log.fault_of_no_call(f"{watch} rests: it loses the connection with every call")
        self._enter(watch, SiteState.DOWN, reason, now)

    def _check(self, watch: Watch, connection: int, now: Moment) -> None:
        """Give a connection to the calls, or close it, by the names in its certificate."""
        if not self._sites.is_open(connection):
            return  # or not yet: Kamailio's processes learn of it one after the other
        watch.checked = connection
        names = self._names_in(self._sites.certificate(watch.hop))
        if carries(names, self._policy.server_name):
            if watch.connection:
                self._sites.let_go(watch.connection)
            watch.is_verified(connection, now.monotonic_ms + self._policy.keepalive_s * 1000)
            self._sites.keep_open(connection)
            self._sites.count(watch.hop, Count.CONNECTIONS)
            self._enter(watch, SiteState.UP, f"its certificate is for {names}", now)
            return
        self._sites.close(connection)
        self._refuse(watch, names, now)

    def _names_in(self, certificate: str) -> CertificateNames:
        try:
            return self._helpers.names(certificate)
        except ValueError:
            return CertificateNames()

    def _refuse(self, watch: Watch, names: CertificateNames, now: Moment, fault: str = "") -> None:
        wanted = self._policy.server_name
        reason = f"its certificate is for {names}, not for clearip.tls.server_name {wanted}"
        self._enter(watch, SiteState.UNVERIFIED, fault or reason, now)

    def _found(self, watch: Watch, finding: Finding, now: Moment) -> None:
        """Connect where a handshake has gone well; say what was wrong where it has not."""
        watch.handshake = None
        if watch.connection:
            return  # it has come up meanwhile
        names = self._names_in(finding.certificate)
        if finding.refused:
            self._refuse(watch, names, now, f"{finding.fault} (it is for {names})")
        elif finding.fault:
            self._enter(watch, SiteState.DOWN, finding.fault, now)
        elif finding.certificate and not carries(names, self._policy.server_name):
            self._refuse(watch, names, now)
        else:
            if self._sites.last_answer(watch.hop)[1] < watch.sent_ms:
                self._enter(watch, SiteState.DOWN, "no answer to OPTIONS", now)
            self._send_options(watch, now)

    def _ask(self, watch: Watch, now: Moment) -> None:
        """Keep a connection alive, open one, or look first where that has failed before."""
        keepalive_ms = self._policy.keepalive_s * 1000
        if watch.connection and self._sites.last_answer(watch.hop)[1] < watch.sent_ms:
            return  # another question would give the one before it more time, again and again
        if watch.connection:
            watch.next_ms = now.monotonic_ms + keepalive_ms
        else:
            watch.next_ms = now.monotonic_ms + watch.retry_ms
            watch.retry_ms = min(2 * watch.retry_ms, keepalive_ms)
        if watch.connection or watch.is_fresh:
            watch.is_fresh = False
            self._send_options(watch, now)
        elif watch.handshake is None:
            watch.handshake = self._helpers.shake_hands(self._handshake_with(watch.hop))

    def _handshake_with(self, hop: str) -> Mapping[str, object]:
        uri = parse_uri(hop)
        return {
            "host": uri.canonical_host.strip("[]"),
            "port": uri.effective_port,
            "server_name": self._policy.server_name,
            "timeout_s": self._policy.response_timeout_ms / 1000,
            "ca_file": self._policy.ca_file,
            "certificate": self._policy.certificate,
            "private_key": self._policy.private_key,
        }

    def _send_options(self, watch: Watch, now: Moment) -> None:
        """Ask with the server name (SNI); the answer runs a callback with the address at hand."""
        watch.sent_ms, watch.awaits_answer = now.monotonic_ms, True
        self._ksr.pvx.xavp_child_sets("tls", "server_name", self._policy.server_name)
        request = {
            "method": "OPTIONS",
            "ruri": watch.site,
            "turi": watch.site,
            "ouri": watch.hop,
            "furi": f"sip:keepalive@{self._policy.domain}",
            "hdrs": "",
            "body": "",
            "evparam": watch.hop,
        }
        for name, value in request.items():
            self._ksr.pv.sets(f"$uac_req({name})", value)
        self._ksr.pv.seti("$uac_req(evroute)", 1)
        self._ksr.uac.uac_req_send()

    def _enter(self, watch: Watch, state: SiteState, reason: str, now: Moment) -> None:
        """Take down a state or another reason for it, and say so once."""
        if not watch.enter(state, reason, now.unix_s):
            return
        if state is SiteState.UP:
            self._log.note_of_no_call(f"{watch} is up: {reason}")
        else:
            word = "refused" if state is SiteState.UNVERIFIED else "down"
            self._log.fault_of_no_call(f"{watch} is {word}: {reason}")

    def _show(self, watch: Watch, now: Moment) -> None:
        """Publish the state when it has changed, the breaker's among it."""
        if watch.connection:
            is_resting = self._sites.resting_until(watch.hop) > 0
            is_probing = is_resting and self._sites.is_probing(watch.hop)
            watch.rests(now.unix_s, is_resting=is_resting, is_probing=is_probing)
        if watch.is_news:
            watch.is_news = False
            self._sites.publish(watch.hop, watch.status)
