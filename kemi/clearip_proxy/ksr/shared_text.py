"""A text that one process writes and all of Kamailio's processes read.

Kamailio hands a text of a shared table out when it has unlocked the table again: one that is being
overwritten may arrive half old and half new. So a version that was written is never changed; which
one counts is a number, and numbers arrive whole. Readers keep the version that they know.
"""

from clearip_proxy.ksr.port import SharedTables

KEPT = 16
"""Versions that stay, for those who read while a new one is written."""


class KsrSharedText:
    """One such text."""

    def __init__(self, htable: SharedTables, table: str, key: str) -> None:
        self._htable = htable
        self._table = table
        self._key = key
        self._version = 0
        self._text = ""

    def read(self) -> str:
        """Return the text; "" before anything was written."""
        version = int(self._htable.sht_get(self._table, f"{self._key} version") or 0)
        if version != self._version:
            text = self._htable.sht_get(self._table, f"{self._key} {version}")
            self._version, self._text = version, str(text or "")
        return self._text

    def write(self, text: str) -> None:
        """Let all processes read another text."""
        version = int(self._htable.sht_get(self._table, f"{self._key} version") or 0) + 1
        self._htable.sht_sets(self._table, f"{self._key} {version}", text)
        self._htable.sht_seti(self._table, f"{self._key} version", version)
        self._htable.sht_rm(self._table, f"{self._key} {version - KEPT}")
