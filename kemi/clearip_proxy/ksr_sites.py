"""What all of Kamailio's processes know of the ClearIP sites: which connection is verified."""

from clearip_proxy.ksr_port import KsrPort

SITES = "sites"
"""Shared table: what is known of a site, by its URI."""
SILENCES = "silences"
"""Shared table: calls in a row that a site has left without an answer, by its URI."""
SILENCES_TO_REST = 3
"""Calls in a row that a site leaves without an answer before it is left alone."""
REST_MS = 5_000
"""How long it is left alone before one call tries it again."""


class KsrSites:
    """The connections to the ClearIP sites.

    A site can be asked over one connection alone: the one whose certificate was found to carry
    the right name. Its id is all that counts; a new connection has a new one.
    """

    def __init__(self, ksr: KsrPort) -> None:
        self._htable = ksr.htable
        self._tcpops = ksr.tcpops

    def usable_connection(self, site: str) -> int | None:
        """Return the verified connection of a site, None when there is none that is open."""
        connection = self._number(f"{site} verified")
        return connection if connection and self.is_open(connection) else None

    def verified_connection(self, site: str) -> int:
        """Return the connection that was verified last, open or not; 0 for none."""
        return self._number(f"{site} verified")

    def is_connection_of(self, site: str, connection: int) -> bool:
        """Tell whether a site has been heard on a connection lately."""
        known = (self._number(f"{site} verified"), self._number(f"{site} connection"))
        return connection in known and connection > 0

    def is_open(self, connection: int) -> bool:
        """Tell whether Kamailio still holds a connection."""
        return self._tcpops.tcp_conid_alive(connection) > 0

    def verify(self, site: str, connection: int, now_ms: int) -> None:
        """Let INVITEs travel on a connection."""
        self._htable.sht_seti(SITES, f"{site} verified at", now_ms)
        self._htable.sht_seti(SITES, f"{site} verified", connection)

    def forget(self, site: str) -> None:
        """Let no INVITE travel to a site until a connection is verified again."""
        self._htable.sht_rm(SITES, f"{site} verified")
        self._htable.sht_rm(SITES, f"{site} loss counted")

    def answered(self, site: str, connection: int, certificate: str, unix_ms: int) -> None:
        """Keep on which connection a site has answered, and with which certificate."""
        self._htable.sht_sets(SITES, f"{site} certificate", certificate)
        self._htable.sht_seti(SITES, f"{site} connection", connection)
        self._htable.sht_seti(SITES, f"{site} answered", unix_ms)

    def last_answer(self, site: str) -> tuple[int, str, int]:
        """Return connection, certificate and time of a site's last answer; zeros for none."""
        certificate = self._htable.sht_get(SITES, f"{site} certificate")
        return (
            self._number(f"{site} connection"),
            str(certificate or ""),
            self._number(f"{site} answered"),
        )

    def is_resting(self, site: str, now_ms: int) -> bool:
        """Tell whether a site rests because calls were left without an answer.

        When its rest is over one call may try it, and the others wait for what becomes of it:
        the rest begins anew with that call, and an answer ends it.
        """
        until_ms = self._number(f"{site} resting until")
        if not until_ms:
            return False
        if now_ms >= until_ms:
            self._htable.sht_seti(SITES, f"{site} resting until", now_ms + REST_MS)
            return False
        return True

    def was_silent(self, site: str, asked_ms: int, now_ms: int) -> bool:
        """Count a call that a site left without an answer; True when it begins to rest.

        However many calls were under way on a connection that was lost, they count as one: a
        site that has restarted need not rest, and one that closes at every INVITE shall.
        """
        if self._was_lost_since(site, asked_ms):
            if self._number(f"{site} loss counted"):
                return False
            self._htable.sht_seti(SITES, f"{site} loss counted", 1)
        silences = self._htable.sht_inc(SILENCES, site)
        if silences < SILENCES_TO_REST:
            return False
        self._htable.sht_seti(SITES, f"{site} resting until", now_ms + REST_MS)
        return silences == SILENCES_TO_REST

    def _was_lost_since(self, site: str, asked_ms: int) -> bool:
        """Tell whether a call that was sent then was on another connection than there is now."""
        if self.usable_connection(site) is None:
            return True
        return self._number(f"{site} verified at") >= asked_ms

    def was_heard(self, site: str) -> bool:
        """Forget the silences of a site that has answered a call; True when it was resting."""
        if not self._htable.sht_get(SILENCES, site):
            return False
        self._htable.sht_rm(SILENCES, site)
        was_resting = self._number(f"{site} resting until") > 0
        self._htable.sht_rm(SITES, f"{site} resting until")
        return was_resting

    def close(self, connection: int) -> None:
        """Close a connection that must not be used, or has died silently."""
        self._tcpops.tcp_close_connection_id(connection)

    def connecting(self, until_ms: int) -> None:
        """Say until when, on the monotonic clock, a call may wait for a connection."""
        self._htable.sht_seti(SITES, "connecting until", until_ms)

    def is_connecting(self, now_ms: int) -> bool:
        """Tell whether a connection may be verified in a moment, as it is just after the start."""
        until_ms = self._htable.sht_get(SITES, "connecting until")
        return until_ms is None or int(until_ms) > now_ms

    def _number(self, key: str) -> int:
        value = self._htable.sht_get(SITES, key)
        return int(value) if value is not None else 0
