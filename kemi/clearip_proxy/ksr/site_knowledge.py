"""What a process knows of the ClearIP sites, so that a call need not ask Kamailio."""

from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.process.shared_numbers import SITE_CHANGES, SharedNumbers
from clearip_proxy.sites.site_lines import Line, Lines, in_turn
from clearip_proxy.sites.site_status import count_key

_NEVER = -1


class SiteKnowledge:
    """The preferred site's connections and which of them rest: looked up when that has changed."""

    def __init__(self, sites: KsrSites, numbers: SharedNumbers) -> None:
        self._sites = sites
        self.numbers = numbers.cells
        self._changes = _NEVER
        self._preferred: Lines = ()
        self._usable: Line | None = None
        self._resting: frozenset[str] = frozenset()
        self._heard: dict[str, str] = {}

    def line(self, call_id: str) -> Line | None:
        """Return the connection that a call is the turn of, if it can be used right now."""
        if self._changes != self.numbers[SITE_CHANGES]:
            self._look()
        line = self._usable or self._in_turn(call_id)
        return line if line is not None and self._sites.is_open(line.connection) else None

    def redirection_key(self, hop: str) -> str:
        """Return the key that a 302 of an address is counted by; "" where silences precede it."""
        if self._changes != self.numbers[SITE_CHANGES]:
            self._look()
        return self._heard.get(hop, "")

    def _in_turn(self, call_id: str) -> Line | None:
        """Choose among several addresses; None where that one rests, and where there is none."""
        lines = in_turn(self._preferred, (), lambda: call_id)
        return lines[0] if lines and lines[0].hop not in self._resting else None

    def _look(self) -> None:
        changes = self.numbers[SITE_CHANGES]  # first: what changes meanwhile is seen the next time
        self._preferred = self._sites.lines()[:1]
        hops = [line.hop for group in self._preferred for line in group]
        self._resting = frozenset(hop for hop in hops if self._sites.resting_until(hop))
        is_alone = len(hops) == 1 and not self._resting
        self._usable = self._preferred[0][0] if is_alone else None
        self._heard = {hop: count_key(hop, 302) for hop in hops if not self._sites.silences(hop)}
        self._changes = changes
