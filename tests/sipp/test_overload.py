"""More calls than the proxy takes: some are refused early, and the others succeed."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.flood import call, finals
from sipp.proxy import Proxy
from sipp.raw_request import RawCaller
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.udp_tables import fullest_queue_bytes
from sipp.waiting import wait_until

FLOODING_HOST = "127.0.0.77"
FLOOD = 120
"""Fewer than the UDP sockets on the way hold: nothing is sent twice here."""
FILLED_BYTES = 250 * 1024
"""Twice what counts as full, and half of what a socket holds."""
MOST_CALLS = 200_000
CEILING_CPS = 12
ALMOST_NOTHING = {"memory_percent": 1}
FILLING = "x" * 30_000
MOST_FILLINGS = 500
"""15 MB, which is more than a hundredth of the largest memory that there is."""


def test_flood_from_one_source_costs_no_other_a_call(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """Of the flood some calls are refused early, with Retry-After; no call of the other's is."""
    proxy = proxy_with(overload={"max_cps": CEILING_CPS})
    flooded = "+15005550199"
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    asked_before = proxy.count("counters", "calls_shed")

    with RawCaller(proxy.place("udp"), FLOODING_HOST) as flooder:
        for index in range(FLOOD):
            flooder.send(call(proxy, flooded, index))
        caller = sipp.play("uac-answered", to=proxy)
        assert all_succeeded(caller, target)
        responses = finals(flooder, FLOOD)

    statuses = Counter(response.status for response in responses)
    assert 503 in statuses
    refused = [response for response in responses if response.header("retry-after")]
    assert {response.header("retry-after") for response in refused} == {"1"}
    assert len(refused) >= FLOOD - 4 * CEILING_CPS
    assert proxy.count("counters", "calls_shed") == asked_before + len(refused)
    assert len(proxy.log_of("overloaded")) < len(refused) / 10


def test_calls_that_find_no_memory_are_refused_but_one_per_second(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """An emergency call is taken all the same."""
    emergency = sipp.play("target-200")
    proxy = proxy_with(overload=ALMOST_NOTHING, emergency={"route": [emergency.uri]})
    clearip.says(603, "Decline")
    fill_memory(proxy)

    with RawCaller(proxy.place("udp")) as caller:
        for index in range(20):
            caller.send(call(proxy, sipp.number, index))
        statuses = Counter(response.status for response in finals(caller, 20))

    assert statuses[603] in {1, 2}
    assert statuses[503] == 20 - statuses[603]
    assert len({m.header("call-id") for m in clearip.received("INVITE")}) == statuses[603]


def test_full_queue_brings_a_ceiling_unasked_and_costs_no_other_a_call(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Nothing is configured: the flood is refused early, and another address calls as ever."""
    flooded = "+15005550198"
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    shed_before = proxy.count("counters", "calls_shed")

    with (
        RawCaller(proxy.place("udp"), FLOODING_HOST) as flooder,
        queue_kept_full(proxy, flooder, flooded),
    ):
        wait_until(lambda: has_ceiling(proxy), "a ceiling is set")
        wait_until(lambda: proxy.count("counters", "calls_shed") > shed_before, "calls are refused")
        assert all_succeeded(sipp.play("uac-answered", to=proxy), target)

    wait_until(lambda: "no longer overloaded" in proxy.log(), "every call is taken again")


@contextmanager
def queue_kept_full(proxy: Proxy, flooder: RawCaller, number: str) -> Iterator[None]:
    """Calls from one address fill the proxy's queue, and never so far that the kernel drops any."""
    ended = Event()

    def flood() -> None:
        for index in range(MOST_CALLS):
            while fullest_queue_bytes(proxy.port) > FILLED_BYTES:
                ended.wait(0.001)
            if ended.is_set():
                return
            flooder.send(call(proxy, number, index))

    with ThreadPoolExecutor(1) as executor:
        flooding = executor.submit(flood)
        try:
            yield
        finally:
            ended.set()
            flooding.result()


def fill_memory(proxy: Proxy) -> None:
    """Use up what little of the shared memory is allowed; nobody else reads it."""
    for number in range(MOST_FILLINGS):
        if is_overloaded(proxy):
            return
        proxy.ask("htable.sets", "node", f"s:filling {number}", f"s:{FILLING}")
    wait_until(lambda: is_overloaded(proxy), "the memory is looked at")


def has_ceiling(proxy: Proxy) -> bool:
    """Whether it says that it takes no more than so many calls."""
    return re.search(r"overloaded: \d+ new calls per second are taken", proxy.log()) is not None


def is_overloaded(proxy: Proxy) -> bool:
    """Whether it says so."""
    return "overloaded: 1 new calls per second" in proxy.log()
