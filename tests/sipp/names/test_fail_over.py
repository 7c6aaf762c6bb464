"""Names with several addresses: which failure leads to the next one (RFC 3263 §4.3)."""

import pytest

from sipp.clearip import ClearIp, token
from sipp.names.dns_zone import Domain
from sipp.proxy import Proxy
from sipp.role import Role, all_succeeded, tried_in_order
from sipp.sipp import Sipp

ADDRESSES = ("127.0.0.61", "127.0.0.62")


def servers_of(domain: Domain, *servers: Role) -> None:
    """Let a name lead to these servers, the most preferred first."""
    domain.add("A", "127.0.0.1", below="host")
    records = (
        f"{priority} 1 {server.place.port} host.{domain.name}."
        for priority, server in enumerate(servers, start=1)
    )
    domain.add("SRV", *records, below="_sip._udp")


def test_next_address_follows_a_silent_one(
    impatient_proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """One target, two addresses: the second attempt is signed like the first."""
    first, second = sipp.play("target-silent"), sipp.play("target-200")
    servers_of(domain, first, second)
    uri = f"sip:{sipp.number}@{domain.name}"
    identity = token()
    clearip.redirects_to(f"<{uri}>", identities=[identity])

    caller = sipp.play("uac-answered", to=impatient_proxy)

    assert all_succeeded(caller, second)
    assert tried_in_order(first, second)
    for target in (first, second):
        assert target.invite.request_uri == uri
        assert target.invite.headers("identity") == [identity]


def test_next_address_follows_one_that_answers_503(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """503 is about that server, not about the call."""
    first, second = sipp.play("target-final", status="503 Overloaded"), sipp.play("target-200")
    other = sipp.play("nobody")
    servers_of(domain, first, second)
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}>", other.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)
    assert other.is_silent


def test_next_address_follows_one_that_refuses_the_connection(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """Nobody listens at the first address."""
    target = sipp.play("target-200", host=ADDRESSES[1], transport="tcp")
    domain.add("A", *ADDRESSES)
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}:{target.place.port};transport=tcp>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)


@pytest.mark.parametrize("status", ["500 Server Internal Error", "504 Server Time-out"])
def test_other_failure_than_503_leaves_the_other_addresses_out(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp, status: str
) -> None:
    """The target has answered: the next one of ClearIP's is tried."""
    first, second = sipp.play("target-final", status=status), sipp.play("nobody")
    other = sipp.play("target-200")
    servers_of(domain, first, second)
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}>", other.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, other)
    assert second.is_silent


def test_refusal_at_one_address_is_a_refusal(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """A 603 ends the call, however many addresses are left."""
    first, second = sipp.play("target-final", status="603 Decline"), sipp.play("nobody")
    servers_of(domain, first, second)
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}>")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, first)
    assert caller.statuses == [100, 603]
    assert second.is_silent


def test_servers_are_tried_by_priority(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """The lower number first (RFC 2782), wherever it stands."""
    first, second, third = (sipp.play("target-final") for _ in range(3))
    last = sipp.play("target-200")
    places = {20: second, 10: first, 40: last, 30: third}
    servers = [f"{p} 1 {role.place.port} host.{domain.name}." for p, role in places.items()]
    domain.add("SRV", *servers, below="_sip._udp")
    domain.add("A", "127.0.0.1", below="host")
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second, third, last)
    assert tried_in_order(first, second, third, last)
