"""Requests too large for UDP: TCP where the target takes it (RFC 3261 §18.1.1)."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sipp.clearip import ClearIp, token
from sipp.conftest import ProxyWith
from sipp.control import counted
from sipp.place import Place
from sipp.proxy import Proxy
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp

OVER_TCP, BACK_TO_UDP = "large_requests_over_tcp", "large_requests_back_to_udp"
LONG_TOKEN = 1_200
WELL_UNDER_TWO_SECONDS_S = 1.9


def lead_to(clearip: ClearIp, *uris: str) -> None:
    """Answer with these URIs, and with an Identity that makes the INVITE outgrow UDP."""
    clearip.redirects_to(*(f"<{uri}>" for uri in uris), identities=[token(length=LONG_TOKEN)])


def at_udp(role: Role) -> str:
    """The URI of a role that says nothing about transport."""
    return f"sip:{role.number}@{role.place.host_port}"


def came_over(target: Role) -> str:
    """The transport by which a target got its INVITE."""
    return target.invite.header("via").split()[0].rpartition("/")[2]


@contextmanager
def listener(place: Place, backlog: int = 8) -> Iterator[socket.socket]:
    """Somebody who listens for TCP at the port of a UDP target, and never accepts."""
    with socket.create_server(place.endpoint, backlog=backlog) as server:
        yield server


@contextmanager
def full(place: Place) -> Iterator[None]:
    """Let nobody's TCP connection to a place be answered, as behind a packet filter."""
    with listener(place, backlog=0) as server, socket.create_connection(server.getsockname()):
        yield


def was_left_alone(server: socket.socket) -> bool:
    """Whether nobody has connected."""
    return not select.select([server], [], [], 0)[0]


def seconds_to_invite(caller: Role, target: Role) -> float:
    """How long it took from the caller to the target."""
    invited = next(each for each in caller.trace if each.message.method == "INVITE")
    reached = next(each for each in target.trace if each.message.method == "INVITE")
    return reached.time - invited.time


def test_large_request_goes_over_tcp(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """To a Contact that says nothing about transport; the Request-URI stays as it is."""
    target = sipp.play("target-200", transport="tcp")
    lead_to(clearip, at_udp(target))
    before = counted(proxy, OVER_TCP)

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert came_over(target) == "TCP"
    assert target.invite.request_uri == at_udp(target)
    assert counted(proxy, OVER_TCP) == before + 1


def test_small_request_stays_on_udp(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Nobody is asked for TCP."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())

    with listener(target.place) as server:
        caller = sipp.play("uac-answered", to=proxy)

        assert all_succeeded(caller, target)
        assert came_over(target) == "UDP"
        assert was_left_alone(server)


def test_target_that_refuses_tcp_gets_the_large_request_over_udp(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """In the same call; the next call does not ask again."""
    port = sipp.vacancy().port
    for is_known in (False, True):
        target = sipp.play("target-200", port=port)
        lead_to(clearip, at_udp(target))
        before = counted(proxy, OVER_TCP)
        with listener(target.place if is_known else sipp.vacancy()) as server:
            caller = sipp.play("uac-answered", to=proxy)

            assert all_succeeded(caller, target)
            assert came_over(target) == "UDP"
            assert was_left_alone(server)
        assert counted(proxy, OVER_TCP) == before


def test_target_whose_tcp_stays_silent_costs_a_second(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A packet filter that drops is no reason to lose the call; the next call does not wait."""
    port = sipp.vacancy().port
    waited: list[float] = []
    with full(Place("127.0.0.1", port)):
        for _ in range(2):
            target = sipp.play("target-200", port=port)
            lead_to(clearip, at_udp(target))
            caller = sipp.play("uac-answered", to=proxy)
            assert all_succeeded(caller, target)
            assert came_over(target) == "UDP"
            waited.append(seconds_to_invite(caller, target))

    assert waited[0] < WELL_UNDER_TWO_SECONDS_S
    assert waited[1] < waited[0] / 2


def test_target_that_has_lost_its_tcp_gets_the_large_request_over_udp(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """It took connections a moment ago; the call goes on over UDP, which is counted."""
    port = sipp.vacancy().port
    first = sipp.play("target-200", port=port, transport="tcp")
    lead_to(clearip, at_udp(first))
    assert all_succeeded(sipp.play("uac-answered", to=proxy), first)
    second = sipp.play("target-200", port=port)
    lead_to(clearip, at_udp(second))
    before = counted(proxy, BACK_TO_UDP)

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, second)
    assert came_over(second) == "UDP"
    assert counted(proxy, BACK_TO_UDP) == before + 1


def test_transport_in_the_contact_is_kept(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Whoever wrote transport=udp wants UDP."""
    target = sipp.play("target-200")
    lead_to(clearip, f"{at_udp(target)};transport=udp")

    with listener(target.place) as server:
        caller = sipp.play("uac-answered", to=proxy)

        assert all_succeeded(caller, target)
        assert came_over(target) == "UDP"
        assert was_left_alone(server)


def test_large_request_stays_on_udp_where_configured(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """`large_request: udp`."""
    target = sipp.play("target-200")
    lead_to(clearip, at_udp(target))

    with listener(target.place) as server:
        caller = sipp.play("uac-answered", to=proxy_with(targets={"large_request": "udp"}))

        assert all_succeeded(caller, target)
        assert came_over(target) == "UDP"
        assert was_left_alone(server)


def test_tcp_target_that_stays_silent_gives_way_to_the_next(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """After a second, and not after all the time that a target has to respond."""
    target = sipp.play("target-200")
    vacant = sipp.vacancy("tcp")
    with full(vacant):
        clearip.redirects_to(f"<{vacant.uri(sipp.number)}>", target.at())
        caller = sipp.play("uac-answered", to=proxy)

        assert all_succeeded(caller, target)
    assert seconds_to_invite(caller, target) < WELL_UNDER_TWO_SECONDS_S
