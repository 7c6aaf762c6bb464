"""What all of Kamailio's processes know of the ClearIP sites: which connections are verified."""

from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.shared_text import KsrSharedText
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.sites.lost_calls import Waiting
from clearip_proxy.sites.site_lines import Line, Lines, from_text, to_text
from clearip_proxy.sites.site_status import COUNTS, STATUS, Count, SiteStatus, count_key

SITES = "sites"
"""Shared table: what is known of an address of a site, by its URI and a word."""
SILENCES = "silences"
"""Shared table: calls in a row that an address has left without an answer, by its URI."""
PROBES = "probes"
"""Shared table: calls that have tried an address after one rest."""
ASKED = "asked"
"""Shared table: the queries that wait for an answer, by their transaction."""
SILENCES_TO_REST = 3
"""Calls in a row that an address leaves without an answer before it is left alone."""
REST_MS = 5_000
"""How long it is left alone before one call tries it again."""
VERIFIED_LIFETIME_S = 30 * 24 * 3600
"""Longer than any step that a clock is likely to be set forward by (docs/adr/0046)."""
REPLACED_LIFETIME_S = 60
"""Longer than any query waits for its answer."""
ITERATOR = "asked"


class KsrSites:
    """The connections to the ClearIP sites.

    An address can be asked over one connection alone: the one whose certificate was found to
    carry the right name. Its id is all that counts; a new connection has a new one.
    """

    def __init__(self, ksr: KsrPort, numbers: SharedNumbers | None = None) -> None:
        """`numbers` tell the others of every change that they must know of."""
        self._numbers = numbers or SharedNumbers()
        self._htable = ksr.htable
        self._tcpops = ksr.tcpops
        self._pv = ksr.pv
        self._lines = KsrSharedText(ksr.htable, SITES, "lines")

    # Connections

    def lines(self) -> Lines:
        """Return the verified connections; one that has closed a moment ago may be among them."""
        return from_text(self._lines.read())

    def publish_lines(self, lines: tuple[Line, ...]) -> None:
        """Let INVITEs travel on these connections and on no others."""
        self._lines.write(to_text(lines))
        self._numbers.note_site_change()

    def is_open(self, connection: int) -> bool:
        """Tell whether Kamailio still holds a connection."""
        return self._tcpops.tcp_conid_alive(connection) > 0

    def keep_open(self, connection: int) -> None:
        """Let a connection end by what the keep-alive finds alone, even when the clock is set."""
        self._tcpops.tcp_set_connection_lifetime_cid(connection, VERIFIED_LIFETIME_S)

    def let_go(self, connection: int) -> None:
        """Let a connection end once nothing comes on it any more: another has taken its place."""
        self._tcpops.tcp_set_connection_lifetime_cid(connection, REPLACED_LIFETIME_S)

    def has_open_line(self) -> bool:
        """Tell whether some site can be asked."""
        return any(self.is_open(line.connection) for group in self.lines() for line in group)

    def close(self, connection: int) -> None:
        """Close a connection that must not be used, or has died silently."""
        self._tcpops.tcp_close_connection_id(connection)

    def answered(self, hop: str, connection: int, certificate: str, now_ms: int) -> None:
        """Keep on which connection OPTIONS were answered, and with which certificate."""
        self._htable.sht_sets(SITES, f"{hop} certificate", certificate)
        self._htable.sht_seti(SITES, f"{hop} connection", connection)
        self._htable.sht_seti(SITES, f"{hop} answered", now_ms)
        self._numbers.note_site_change()

    def last_answer(self, hop: str) -> tuple[int, int]:
        """Return connection and time of the last answer to OPTIONS; zeros for none."""
        return self._number(f"{hop} connection"), self._number(f"{hop} answered")

    def certificate(self, hop: str) -> str:
        """Return the certificate that came with the last answer to OPTIONS; "" for none."""
        return str(self._htable.sht_get(SITES, f"{hop} certificate") or "")

    # The breaker

    def may_be_asked(self, hop: str, now_ms: int) -> bool:
        """Tell whether a call may go to an address now.

        When its rest is over one call may try it, and the others wait for what becomes of it:
        the rest begins anew with that call, and an answer ends it.
        """
        until_ms = self.resting_until(hop)
        if not until_ms:
            return True
        if now_ms < until_ms or self._htable.sht_inc(PROBES, f"{hop} {until_ms}") > 1:
            return False
        self._htable.sht_seti(SITES, f"{hop} resting until", now_ms + REST_MS)
        self._htable.sht_seti(SITES, f"{hop} probing", 1)
        self._numbers.note_site_change()
        return True

    def resting_until(self, hop: str) -> int:
        """Return when a rest ends; 0 for an address that does not rest."""
        return self._number(f"{hop} resting until")

    def is_probing(self, hop: str) -> bool:
        """Tell whether a call is trying an address that rests otherwise."""
        return self._number(f"{hop} probing") > 0

    def was_silent(self, hop: str, now_ms: int) -> bool:
        """Count a call that an address left without an answer; True when it begins to rest."""
        silences = self._htable.sht_inc(SILENCES, hop)
        self._htable.sht_rm(SITES, f"{hop} probing")
        if silences >= SILENCES_TO_REST:
            self._htable.sht_seti(SITES, f"{hop} resting until", now_ms + REST_MS)
        self._numbers.note_site_change()
        return silences == SILENCES_TO_REST

    def is_warned_of(self, hop: str) -> None:
        """Let one more call without an answer be enough: another node has left the address alone.

        On that node's word alone no address is left alone: its own network may be to blame.
        """
        if int(self._htable.sht_get(SILENCES, hop) or 0) < SILENCES_TO_REST - 1:
            self._htable.sht_seti(SILENCES, hop, SILENCES_TO_REST - 1)

    def was_heard(self, hop: str) -> bool:
        """Forget the silences of an address that has answered a call; True when it was resting."""
        if not self.silences(hop):
            return False
        self._htable.sht_rm(SILENCES, hop)
        was_resting = self.resting_until(hop) > 0
        self._htable.sht_rm(SITES, f"{hop} probing")
        self._htable.sht_rm(SITES, f"{hop} resting until")
        self._numbers.note_site_change()
        return was_resting

    def silences(self, hop: str) -> int:
        """Return how many calls in a row an address has left without an answer."""
        return int(self._htable.sht_get(SILENCES, hop) or 0)

    # Queries that wait for an answer

    def asks(self, transaction: str, waiting: Waiting) -> None:
        """Keep a query until it has ended."""
        self._htable.sht_sets(ASKED, transaction, waiting.to_text())

    def asks_no_more(self, transaction: str) -> None:
        """Forget a query that has ended."""
        self._htable.sht_rm(ASKED, transaction)

    def waiting_on(self, connection: int) -> list[Waiting]:
        """Return the queries that wait for an answer on a connection."""
        found: list[Waiting] = []
        self._htable.sht_iterator_start(ITERATOR, ASKED)
        while self._htable.sht_iterator_next(ITERATOR) > 0:
            waiting = Waiting.from_text(str(self._pv.get(f"$shtitval({ITERATOR})")))
            if waiting.connection == connection:
                found.append(waiting)
        self._htable.sht_iterator_end(ITERATOR)
        return found

    # When a site may be asked again

    def connecting(self, until_ms: int) -> None:
        """Say until when, on the monotonic clock, a call may wait for a connection."""
        self._htable.sht_seti(SITES, "connecting until", until_ms)

    def is_connecting(self, now_ms: int) -> bool:
        """Tell whether a connection may be verified in a moment, as it is just after the start."""
        until_ms = self._htable.sht_get(SITES, "connecting until")
        return until_ms is None or int(until_ms) > now_ms

    def tries_at(self, next_ms: int) -> None:
        """Say when the keeper tries again to connect to a site; 0 for not before it must."""
        self._htable.sht_seti(SITES, "tries at", next_ms)

    def next_try_ms(self, now_ms: int) -> int:
        """Return in what time a site may be usable again: a rest ends, or the keeper tries."""
        hops = (line.hop for group in self.lines() for line in group)
        times = (*(self.resting_until(hop) for hop in hops), self._number("tries at"))
        return min((time - now_ms for time in times if time > now_ms), default=0)

    # For the operator

    def publish(self, uri: str, status: SiteStatus) -> None:
        """Let the operator's command see how a site is."""
        self._htable.sht_sets(STATUS, uri, status.to_text())

    def unpublish(self, uri: str) -> None:
        """Take away the state of an address that is no longer one of a site's."""
        self._htable.sht_rm(STATUS, uri)

    def count(self, hop: str, what: Count | int) -> None:
        """Count an answer by its code, or something else that happened."""
        self._htable.sht_inc(COUNTS, count_key(hop, what))

    # Addresses

    def learn_addresses(self, site: str, hops: tuple[str, ...], fault: str) -> None:
        """Keep where a site's name leads, or why that is not known."""
        self._found_of(site).write("\n".join((fault, *hops)))
        self._numbers.note_site_change()

    def addresses(self, site: str) -> tuple[tuple[str, ...], str]:
        """Return the URIs of a site's addresses, and what went wrong when it was looked up."""
        fault, *hops = self._found_of(site).read().split("\n")
        return tuple(hops), fault

    def _found_of(self, site: str) -> KsrSharedText:
        return KsrSharedText(self._htable, SITES, f"{site} addresses")

    def _number(self, key: str) -> int:
        value = self._htable.sht_get(SITES, key)
        return int(value) if value is not None else 0
