"""Where targets lead and whether they take connections: from memory, or by asking."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.location.dns_records import DnsRecords
from clearip_proxy.location.locating import LookUpFailed, NaptrRecord, Records, SrvRecord, locate
from clearip_proxy.location.target_way import NextHops, Refusals
from clearip_proxy.location.tcp_probe import takes_tcp
from clearip_proxy.sip.uri import Uri

T = TypeVar("T")

UNKNOWN_NAME_TTL_S = 10
"""How long a name that leads nowhere is not asked for again."""


class MustAskError(Exception):
    """What is wanted is not known, and finding it out takes longer than the caller may."""


class KeptRecords(Records, Protocol):
    """What the DNS says, and how long it may be kept."""

    @property
    def ttl_s(self) -> int:
        """In seconds."""


class Outside(NamedTuple):
    """What may be asked outside Kamailio, by a process that may block; times are in seconds."""

    records: Callable[[float], KeptRecords] = DnsRecords
    takes_tcp: Callable[[str, int, float], bool] = takes_tcp


THE_WORLD = Outside()


class Remembered:
    """What memory says; raises `MustAskError` for what it does not know."""

    def __init__(self, memory: KsrMemory) -> None:
        self._memory = memory

    def next_hops(self, target: Uri, /) -> NextHops:
        """Return where a name leads."""
        return _known(self._memory.next_hops(name_key(target)))

    def takes_tcp(self, hop: Uri, refusals: Refusals, /) -> bool:
        """Tell whether a target takes connections."""
        return _known(self._memory.takes_tcp(host_port(hop), refusals))


class Asked:
    """What memory says, or else the world outside; kept in memory.

    Raises `MustAskError` when there is no time left to ask.
    """

    def __init__(
        self, memory: KsrMemory, outside: Outside, time_left_s: Callable[[], float]
    ) -> None:
        self._memory = memory
        self._outside = outside
        self._time_left_s = time_left_s

    def next_hops(self, target: Uri, /) -> NextHops:
        """Return where a name leads."""
        known = self._memory.next_hops(name_key(target))
        if known is not None:
            return known
        records = self._outside.records(self._time_to_ask_s())
        found = _located(target, _Patient(records))
        ttl_s = records.ttl_s if found.uris else UNKNOWN_NAME_TTL_S
        self._memory.learn_next_hops(name_key(target), found, ttl_s)
        return found

    def takes_tcp(self, hop: Uri, refusals: Refusals, /) -> bool:
        """Tell whether a target takes connections.

        Kamailio itself would notice a refusal only when the target's time to respond is over.
        """
        known = self._memory.takes_tcp(host_port(hop), refusals)
        if known is not None:
            return known
        host = hop.target_host.strip("[]")
        taken = self._outside.takes_tcp(host, hop.effective_port, self._time_to_ask_s())
        self._memory.learn_tcp(host_port(hop), refusals, taken=taken)
        return taken

    def _time_to_ask_s(self) -> float:
        left_s = self._time_left_s()
        if left_s <= 0:
            raise MustAskError
        return left_s


class _Patient:
    """Records of which some could not be had: the others may do.

    There are name servers, and packet filters before them, that never answer for NAPTR or SRV.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self.failure = ""
        """The first question that was not answered; empty when all were."""

    def naptr(self, name: str, /) -> list[NaptrRecord]:
        """Return the SIP services of a domain."""
        return self._answered(self._records.naptr, name)

    def srv(self, name: str, /) -> list[SrvRecord]:
        """Return the servers of a service."""
        return self._answered(self._records.srv, name)

    def addresses(self, name: str, /) -> list[str]:
        """Return the addresses of a host."""
        return self._answered(self._records.addresses, name)

    def _answered(self, ask: Callable[[str], list[T]], name: str) -> list[T]:
        try:
            return ask(name)
        except LookUpFailed as failure:
            self.failure = self.failure or str(failure)
            return []


def _located(target: Uri, records: _Patient) -> NextHops:
    uris = tuple(address.uri for address in locate(target, records))
    if uris:
        return NextHops(uris)
    return NextHops((), f"name server: {records.failure}" if records.failure else "has no address")


def name_key(target: Uri) -> str:
    """Return what of a target its addresses depend on."""
    return f"{target.scheme}:{target.target_host}:{target.port}:{target.transport}"


def host_port(hop: Uri) -> str:
    """Return what of a next hop it depends on whether it takes connections."""
    return f"{hop.target_host}:{hop.effective_port}"


def _known(value: T | None) -> T:
    if value is None:
        raise MustAskError
    return value
