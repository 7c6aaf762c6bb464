"""The way to a target: next hop, and transport where the request is large.

Pure: what the DNS says, and who takes connections, comes from a `Knowledge`. In a process that
other calls wait for that is memory alone; a worker of its own may go and ask.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

from clearip_proxy.destination import leads_here
from clearip_proxy.location.locating import Address, direct_transport
from clearip_proxy.location.next_hop import is_udp, needs_look_up, outgrows_udp
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.sip.uri import Uri, parse_uri

Refusals = Literal["tcp_refused", "unreachable"]
"""Which refusals count: of a target that has UDP as well, or of one that has not."""


class NextHops(NamedTuple):
    """Where a name leads."""

    uris: tuple[str, ...]
    """URIs of addresses, most preferred first."""
    why_none: str = ""


class Knowledge(Protocol):
    """What is known of the world outside, or can be asked for."""

    def next_hops(self, target: Uri, /) -> NextHops:
        """Return where a name leads."""

    def takes_tcp(self, hop: Uri, refusals: Refusals, /) -> bool:
        """Tell whether a target takes connections."""


class Wanted(NamedTuple):
    """What is to be sent, and to whom."""

    target: str
    """The Request-URI."""
    next_hop: str
    """The address of the target that it is the turn of; empty for the first."""
    received_bytes: int
    """The size of the request as it came."""
    added_bytes: int
    """What ClearIP's header fields add to it."""


class Way(NamedTuple):
    """How to send it."""

    target: Uri
    hop: Uri
    """The address, or the target itself where it is one."""
    next_hops: tuple[str, ...] = ()
    """As URIs, `hop` first; the empty one stands for the target itself."""
    over_tcp: bool = False
    """Whether the request is too large for UDP, and the target takes TCP."""
    why_none: str = ""
    """Why it cannot be sent; empty when it can."""


def find_way(wanted: Wanted, known: Knowledge, policy: RoutingPolicy) -> Way:
    """Find the way to a target; raises whatever `known` raises."""
    target = parse_uri(wanted.target)
    found = _next_hops(wanted.next_hop, target, known, policy)
    if not found.uris:
        return Way(target, target, why_none=found.why_none)
    first = found.uris[0]
    hop = parse_uri(first) if first else target
    if not is_udp(hop):
        refused = "" if known.takes_tcp(hop, "unreachable") else "takes no connection"
        return Way(target, hop, found.uris, why_none=refused)
    # Whoever wrote transport=udp knows that target, and wants UDP.
    is_large = target.transport is None and outgrows_udp(
        hop, wanted.received_bytes, wanted.added_bytes, policy.search
    )
    return Way(target, hop, found.uris, is_large and known.takes_tcp(hop, "tcp_refused"))


def _next_hops(next_hop: str, target: Uri, known: Knowledge, policy: RoutingPolicy) -> NextHops:
    """Return the next hops that are not the proxy's own; following those would loop."""
    if next_hop:
        return NextHops((next_hop,))
    if needs_look_up(target):
        named = known.next_hops(target)
        return _of_others(named.uris, policy) if named.uris else named
    if leads_here(target, policy):
        return NextHops((), "is the proxy itself")
    if target.maddr:
        host = target.target_host.strip("[]")
        return NextHops((Address(direct_transport(target), host, target.effective_port).uri,))
    return NextHops(("",))


def _of_others(uris: Iterable[str], policy: RoutingPolicy) -> NextHops:
    others = tuple(uri for uri in uris if not leads_here(parse_uri(uri), policy))
    return NextHops(others, "" if others else "is the proxy itself")
