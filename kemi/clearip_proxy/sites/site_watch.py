"""What the keeper remembers of one address of a ClearIP site."""

from collections.abc import Callable
from dataclasses import dataclass

from clearip_proxy.location.next_hop import needs_look_up
from clearip_proxy.sip.uri import parse_uri
from clearip_proxy.sites.handshake_run import Run
from clearip_proxy.sites.site_status import SiteState, SiteStatus

FIRST_RETRY_MS = 1_000
"""How soon a site that is away is tried again; each time the double, up to the keep-alive."""
SETTLE_MS = 200
"""How long after a lost connection no new one is opened: until every process has seen the loss."""


@dataclass(slots=True)
class Watch:
    """One address, or a site whose name leads nowhere yet."""

    site: str
    preference: int
    hop: str
    """The URI of the address; the site's own while none is known."""
    is_unknown: bool = False
    """Whether no address is known."""
    fault: str = ""
    """Why the site's name was not looked up."""
    connection: int = 0
    """The verified connection; 0 for none."""
    checked: int = 0
    """The connection whose certificate was checked last."""
    is_fresh: bool = True
    """Whether Kamailio has not tried to connect since the start, or since the loss."""
    handshake: Run | None = None
    next_ms: int = 0
    sent_ms: int = 0
    """When OPTIONS were sent last; 0 for not at all."""
    awaits_answer: bool = False
    """Whether OPTIONS were sent that were not answered when it was looked at last."""
    retry_ms: int = FIRST_RETRY_MS
    state: SiteState = SiteState.CONNECTING
    reason: str = "not tried yet"
    since_s: int = 0
    verified_as: str = ""
    """The reason for being up, to return to after a rest."""
    is_news: bool = True
    """Whether the state has changed since it was published."""

    def __str__(self) -> str:
        """Return what the log calls it."""
        if self.is_unknown or self.hop == self.site:
            return f"ClearIP site {self.site}"
        return f"ClearIP site {self.site} at {parse_uri(self.hop).canonical_host}"

    @property
    def status(self) -> SiteStatus:
        """Return what the operator is shown."""
        return SiteStatus(self.site, self.preference, self.state, self.reason, self.since_s)

    def is_calm(self, now_ms: int) -> bool:
        """Tell whether there is a connection, and nothing to do or to wait for."""
        return (
            self.connection > 0
            and not self.awaits_answer
            and self.handshake is None
            and now_ms < self.next_ms
        )

    def is_verified(self, connection: int, next_ms: int) -> None:
        """Take down a connection that calls may use, and when it needs a keep-alive."""
        self.connection, self.next_ms = connection, next_ms
        self.retry_ms = FIRST_RETRY_MS
        self.handshake = None

    def is_lost(self, now_ms: int) -> None:
        """Take down that the connection is gone, and that a new one is made soon."""
        self.connection, self.next_ms = 0, now_ms + SETTLE_MS
        self.retry_ms = FIRST_RETRY_MS
        self.is_fresh = True

    def enter(self, state: SiteState, reason: str, now_s: int) -> bool:
        """Enter a state; False when it is the same for the same reason."""
        if state is SiteState.UP:
            self.verified_as = reason
        if (state, reason) == (self.state, self.reason):
            return False
        if state is not self.state:
            self.since_s = now_s
        self.state, self.reason, self.is_news = state, reason, True
        return True

    def rests(self, now_s: int, *, is_resting: bool, is_probing: bool) -> None:
        """Follow the breaker of an address with a verified connection."""
        if is_probing:
            self.enter(SiteState.PROBING, "one call tries whether it answers", now_s)
        elif is_resting:
            self.enter(SiteState.RESTING, "calls were left without an answer", now_s)
        else:
            self.enter(SiteState.UP, self.verified_as, now_s)


def hops_of(
    sites: tuple[str, ...], addresses: Callable[[str], tuple[tuple[str, ...], str]], now_s: int
) -> dict[str, Watch]:
    """Return a new watch for each address of the sites, in their order; the first site has it.

    `addresses` tells where a name leads, and what went wrong when it was looked up.
    """
    watches: dict[str, Watch] = {}
    for preference, site in enumerate(sites, start=1):
        hops, fault = ((site,), "") if not needs_look_up(parse_uri(site)) else addresses(site)
        for hop in hops:
            watches.setdefault(hop, Watch(site, preference, hop, since_s=now_s))
        if not hops:
            unknown = Watch(site, preference, site, is_unknown=True, fault=fault, since_s=now_s)
            unknown.reason = "its name is being looked up"
            watches.setdefault(site, unknown)
    return watches
