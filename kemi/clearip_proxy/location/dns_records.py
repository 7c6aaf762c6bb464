"""Questions to the DNS, by dnspython (docs/adr/0006-look-ups-in-their-own-processes.md).

Blocking: only for processes that carry no other call.
"""

import math
import time
from collections.abc import Iterable
from typing import Any

import dns.exception
import dns.rdatatype
import dns.resolver

from clearip_proxy.location.locating import LookUpFailed, NaptrRecord, SrvRecord
from clearip_proxy.location.next_hop import is_address

QUESTION_S = 2.0
"""What one question may take, with all its tries."""
TRY_S = 0.7
"""What one try may take: UDP loses packets, and the next server may be the one that works."""
ALL_QUESTIONS_S = 4.0
"""What the questions about one target may take together."""
SHORTEST_TTL_S = 5
LONGEST_TTL_S = 300

_NOTHING = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)


class DnsRecords:
    """The answers for one target, and the shortest time that all of them hold."""

    def __init__(self, time_left_s: float = math.inf) -> None:
        self._resolver: dns.resolver.Resolver | None = None
        self._deadline_s = time.monotonic() + min(time_left_s, ALL_QUESTIONS_S)
        self._ttl_s = LONGEST_TTL_S

    @property
    def ttl_s(self) -> int:
        """How long the answers may be kept, in seconds."""
        return max(SHORTEST_TTL_S, self._ttl_s)

    def naptr(self, name: str, /) -> list[NaptrRecord]:
        """Return the SIP services of a domain."""
        return [
            NaptrRecord(
                each.order,
                each.preference,
                _text(each.service),
                _name(each.replacement),
                _text(each.flags),
            )
            for each in self._ask(name, "NAPTR")
            if not each.regexp
        ]

    def srv(self, name: str, /) -> list[SrvRecord]:
        """Return the servers of a service."""
        return [
            SrvRecord(each.priority, each.weight, _name(each.target), each.port)
            for each in self._ask(name, "SRV")
        ]

    def addresses(self, name: str, /) -> list[str]:
        """Return the addresses of a host, IPv4 first.

        Some name servers say nothing about IPv6; the IPv4 addresses are good without.
        """
        if is_address(name):
            return [name]
        found = [str(each) for each in self._ask(name, "A")]
        try:
            found += [str(each) for each in self._ask(name, "AAAA")]
        except LookUpFailed:
            if not found:
                raise
            self._ttl_s = SHORTEST_TTL_S
        return found

    def _ask(self, name: str, kind: str) -> Iterable[Any]:
        left_s = min(QUESTION_S, self._deadline_s - time.monotonic())
        if left_s <= 0:
            raise LookUpFailed(f"{name} {kind}: no time left")
        try:
            # Made anew for each target: resolv.conf may have changed, or be there only now.
            self._resolver = self._resolver or _resolver()
            answer = self._resolver.resolve(name, kind, search=False, lifetime=left_s)
        except _NOTHING:
            return ()
        except dns.exception.DNSException as failure:
            raise LookUpFailed(f"{name} {kind}: {type(failure).__name__}") from failure
        self._ttl_s = min(self._ttl_s, int(answer.rrset.ttl if answer.rrset else 0))
        return answer


def _resolver() -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver()
    resolver.timeout = TRY_S
    return resolver


def _name(name: object) -> str:
    return str(name).rstrip(".").lower()


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
