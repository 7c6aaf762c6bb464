"""Limits of trusted sources: calls per second, and calls at one time."""

import re
import socket
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from clearip_proxy.sources import trusted_sources
from inline_proxy.lab.message import Message
from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.flood import call, finals
from sipp.proxy import Proxy
from sipp.raw_request import RawCaller
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.waiting import wait_until

NETWORK = "127.0.0.0/9"
EMERGENCY = ("127.0.0.1", 7911)
SOURCE_ID = trusted_sources([{"network": str(ip_network(NETWORK))}])["127.0.0.1"]
BURST = 24
"""Calls that the proxy's workers take at once."""


def limited(**limits: int) -> dict[str, object]:
    """The part of a configuration that limits the tests' own network."""
    return {
        "trusted": [{"network": NETWORK, "name": "switch-a", **limits}, "::1"],
        "emergency": {"route": [f"sip:{EMERGENCY[0]}:{EMERGENCY[1]}"]},
    }


@pytest.fixture
def silent_target() -> Iterator[socket.socket]:
    """A target that is there and never answers; calls to it stay in progress."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.bind(EMERGENCY)
        target.settimeout(10)
        yield target


def in_progress(proxy: Proxy) -> int:
    """How many calls count for the limited source."""
    assert SOURCE_ID is not None
    return proxy.count("calls_of_sources", SOURCE_ID.id)


def test_calls_over_the_rate_are_refused_at_once(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """Of a burst as many pass as a second may have, or two seconds where it falls into two."""
    proxy = proxy_with(**limited(max_cps=5))
    clearip.says(603, "Decline")
    with RawCaller(proxy.place("udp")) as caller:
        for index in range(BURST):
            caller.send(call(proxy, sipp.number, index))
        responses = finals(caller, BURST)

    statuses = Counter(response.status for response in responses)
    assert statuses.keys() == {503, 603}
    assert statuses[603] in range(5, 11)
    refused = [response for response in responses if response.status == 503]
    assert {response.header("retry-after") for response in refused} == {"1"}
    asked = [m for m in clearip.received() if m.method == "INVITE"]
    assert len(asked) == statuses[603]
    wait_until(lambda: proxy.log_of("too many calls per second"), "the log tells of it")
    assert len(proxy.log_of("too many calls per second")) < len(refused)


def test_calls_over_the_number_are_refused_at_once(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, silent_target: socket.socket
) -> None:
    """However many workers take calls at the same moment, no more than the limit passes."""
    proxy = proxy_with(**limited(max_calls=3))
    clearip.redirects_to(f"<sip:{sipp.number}@127.0.0.1:{EMERGENCY[1]}>")
    with RawCaller(proxy.place("udp")) as caller:
        for index in range(BURST):
            caller.send(call(proxy, sipp.number, index))
        refused = finals(caller, BURST - 3)

        assert {response.status for response in refused} == {503}
        assert {response.header("retry-after") for response in refused} == {"5"}
        assert in_progress(proxy) == 3
        assert silent_target.recv(65_535)
        for response in finals(caller, 3):  # nobody has answered them
            assert response.status == 408
            failed = int(response.header("call-id").rpartition("raw")[2])
            caller.send(call(proxy, sipp.number, failed, "ACK", to=response.header("to")))
        wait_until(lambda: in_progress(proxy) == 0, "the failed calls count no longer")
    assert len({m.header("call-id") for m in clearip.received() if m.method == "INVITE"}) == 3


@pytest.mark.parametrize(
    ("caller_role", "target_role"),
    [
        ("uac-hangs-up-on-cue", "target-hung-up-on"),
        ("uac-answered", "target-hangs-up-on-cue"),
    ],
)
def test_call_counts_until_either_side_hangs_up(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, caller_role: str, target_role: str
) -> None:
    """A full source gets one more in when a call of its own has ended."""
    proxy = proxy_with(**limited(max_calls=1))
    target = sipp.play(target_role)
    clearip.redirects_to(target.at())
    phone = sipp.play(caller_role, to=proxy)
    target.wait_for("ACK")

    with RawCaller(proxy.place("udp")) as caller:
        caller.send(call(proxy, sipp.number, 1))
        assert caller.hear_final().status == 503
    next(role for role in (phone, target) if role.name.endswith("-on-cue")).cue()

    assert all_succeeded(phone, target)
    wait_until(lambda: in_progress(proxy) == 0, "the call counts no longer")
    assert clearip.was_asked_once()


def test_canceled_and_refused_calls_count_no_longer(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """What never was a call leaves nothing behind."""
    proxy = proxy_with(**limited(max_calls=1))
    target = sipp.play("target-rings-until-canceled")
    clearip.redirects_to(target.at())
    caller = sipp.play("uac-cancels", to=proxy)
    caller.wait_for(180).cue()
    assert all_succeeded(caller, target)
    wait_until(lambda: in_progress(proxy) == 0, "the canceled call counts no longer")

    clearip.says(603, "Decline")
    assert all_succeeded(sipp.play("uac-refused", to=proxy))
    wait_until(lambda: in_progress(proxy) == 0, "the refused call counts no longer")


def test_refused_offer_of_another_session_does_not_end_the_count(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """The ACK to a failed re-INVITE is not the end of its call."""
    proxy = proxy_with(**limited(max_calls=1))
    target = sipp.play("target-reinvited")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-reinvites", to=proxy)

    target.wait_for("ACK")
    assert in_progress(proxy) == 1
    caller.cue()
    assert all_succeeded(caller, target)


def test_emergency_call_passes_a_full_source(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, silent_target: socket.socket
) -> None:
    """Neither limit is for it."""
    proxy = proxy_with(**limited(max_cps=1, max_calls=1))
    clearip.redirects_to(f"<sip:{sipp.number}@127.0.0.1:{EMERGENCY[1]}>")
    with RawCaller(proxy.place("udp")) as caller:
        for index in range(4):
            caller.send(call(proxy, sipp.number, index))
        assert {response.status for response in finals(caller, 3)} == {503}
        for index in range(4, 8):
            uri = f"sip:911@{proxy.place('udp').host_port}"
            caller.send(call(proxy, sipp.number, index, uri=uri))

        arrived: set[str] = set()
        while len(arrived) < 4:
            message = Message.parse(silent_target.recv(65_535).decode())
            if message.start_line.startswith("INVITE sip:911@"):
                arrived.add(message.header("call-id"))
    assert in_progress(proxy) == 1


@pytest.mark.usefixtures("silent_target")
def test_call_that_nobody_ends_expires(proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp) -> None:
    """A lost BYE costs a source one call for some hours, not for ever; here they are over at once.

    The shared table forgets the call, and tells the routing script.
    """
    proxy = proxy_with(**limited(max_calls=2))
    clearip.redirects_to(f"<sip:{sipp.number}@127.0.0.1:{EMERGENCY[1]}>")
    with RawCaller(proxy.place("udp")) as caller:
        caller.send(call(proxy, sipp.number, 0))
        wait_until(lambda: in_progress(proxy) == 1, "the call counts")

        (key,) = re.findall(r"name: (\S+ \S+)", proxy.ask("htable.dump", "calls_in_progress"))
        proxy.ask("htable.setex", "calls_in_progress", f"s:{key}", "1")

        wait_until(lambda: in_progress(proxy) == 0, "the call counts no longer")
