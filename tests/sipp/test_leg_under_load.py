"""ClearIP's sites go and come back while many calls run, and again and again.

With `--long` there are 200 calls a second and a thousand reconnects.
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from inline_proxy.lab.answer import Answer
from sipp.control import control
from sipp.leg import REFUSED, Leg, wait_until_up
from sipp.leg_calls import Call, Calls, median_ms
from sipp.leg_site import LegSite
from sipp.leg_table import FIGURE
from sipp.proxy import Proxy
from sipp.waiting import wait_until

RATE, LONG_RATE = 50, 200
RECONNECTS, LONG_RECONNECTS = 100, 1000
SITES = 20
WARM_UP_ROUNDS = 2
TOLERATED_GROWTH_BYTES = 65_536
TOLERATED_OWN_BYTES = 16_000_000
"""Of forty processes together: they take memory in pages, and share ever fewer with each other."""
AT_ONCE_MS = 10
ANSWER_AFTER_MS = 20
RESPONSE_TIMEOUT_MS = 2000
TOLERANCE_MS = 1500
"""What a machine may add that has other things to do: less than another timeout."""
PATIENT = {"response_timeout_ms": RESPONSE_TIMEOUT_MS}
KEEPALIVE_S = 20
"""So seldom that no transaction is left in between, and a site soon tried that was too slow."""
PATIENCE_S = 60
Note = Callable[[str, object], None]
ENOUGH_PER_S = 1000
"""Calls a second that one connection must be good for."""
CALLS_MEASURED = 10
"""Seconds of calls that the measurement takes."""


@pytest.fixture
def rate(request: pytest.FixtureRequest) -> int:
    """Calls a second."""
    return LONG_RATE if request.config.getoption("--long") else RATE


def test_site_that_dies_and_comes_back_costs_no_call(
    leg: Leg, number: str, rate: int, record_property: Note
) -> None:
    """Only calls that were at the dying site are asked again; none waits for much of a timeout."""
    first, second = leg.site(), leg.site()
    leg.clearip(number, [first, second], Answer(603, "Decline", delay_ms=ANSWER_AFTER_MS))
    proxy = leg.connected([first, second], clearip=PATIENT)

    with Calls(proxy.place("udp"), number, rate=rate) as calls:
        calls.wait_for_more(rate)
        closing_s = time.monotonic()
        first.close()
        closed_s = time.monotonic()
        calls.wait_for_more(rate)
        first.open()
        wait_until_up(proxy, first, times=2)
        asked = first.invites(number)
        calls.wait_for_more(rate)

    assert Counter(call.status for call in calls.placed) == {REFUSED.status: len(calls.placed)}
    assert max(call.took_ms for call in calls.placed) < RESPONSE_TIMEOUT_MS + TOLERANCE_MS
    assert first.invites(number) > asked
    at_sites = Counter([*first.call_ids(), *second.call_ids()])
    assert at_sites.keys() == {call.call_id for call in calls.placed}
    in_flight = {call.call_id for call in calls.placed if is_between(call, closing_s, closed_s)}
    asked_twice = {call_id for call_id, times in at_sites.items() if times > 1}
    assert asked_twice <= in_flight
    assert max(at_sites.values()) <= 2
    longest_ms = max(call.took_ms for call in calls.placed)
    record_property(
        FIGURE,
        f"One of two sites is killed under {rate} calls/s and comes back: of "
        f"{len(calls.placed)} calls none failed, {len(asked_twice)} were on the dying "
        f"connection and asked about again; the longest took {longest_ms:.0f} ms, the median "
        f"{median_ms(calls.placed):.0f} ms, of which "
        f"ClearIP takes {ANSWER_AFTER_MS}.",
    )


def test_calls_are_answered_at_once_while_every_site_is_dead(
    leg: Leg, number: str, rate: int, record_property: Note
) -> None:
    """With on_unavailable relay: a 503 each, none left without."""
    sites = [leg.site(), leg.site()]
    leg.clearip(number, sites)
    proxy = leg.connected(sites, clearip=PATIENT)

    with Calls(proxy.place("udp"), number, rate=rate) as calls:
        calls.wait_for_more(rate)
        for site in sites:
            site.close()
        wait_until(lambda: answered_at_once(calls, rate), "the proxy has given up")

    median = median_ms(calls.answered[-rate:])
    record_property(
        FIGURE,
        f"Both sites are killed under {rate} calls/s: every call is answered, and once no "
        f"connection is being made any more, with a 503 after {median:.1f} ms at the median.",
    )
    assert {call.status for call in calls.placed} == {REFUSED.status, 503}
    assert median < AT_ONCE_MS
    assert max(call.took_ms for call in calls.placed) < 2 * RESPONSE_TIMEOUT_MS + TOLERANCE_MS


def answered_at_once(calls: Calls, count: int) -> bool:
    """Tell whether the last calls were all refused by the proxy without a wait."""
    last = calls.answered[-count:]
    return all(call.status == 503 and call.took_ms < 100 for call in last)


def is_between(call: Call, from_s: float, to_s: float) -> bool:
    """Tell whether a call was placed, and not answered, at some moment of an interval."""
    return call.sent_s <= to_s and (call.answered_s is None or call.answered_s >= from_s)


@pytest.mark.timeout(120 + LONG_RECONNECTS)
def test_reconnects_leave_nothing_behind(
    leg: Leg, request: pytest.FixtureRequest, record_property: Note
) -> None:
    """No connection, no file descriptor and no shared memory stays of one that was closed."""
    reconnects = LONG_RECONNECTS if request.config.getoption("--long") else RECONNECTS
    sites = [leg.site() for _ in range(SITES)]
    proxy = leg.connected(sites, clearip={**PATIENT, "keepalive_s": KEEPALIVE_S})
    rounds = itertools.count(2)

    reconnect(proxy, sites, rounds, WARM_UP_ROUNDS)
    before = held(proxy, sites)
    reconnect(proxy, sites, rounds, reconnects // SITES)
    after = held(proxy, sites)

    record_property(
        FIGURE,
        f"{reconnects} reconnects: {before.descriptors} file descriptors before and "
        f"{after.descriptors} after; shared memory "
        f"{(after.shared_bytes - before.shared_bytes) / 1000:+.1f} kB, the processes' own "
        f"{(after.own_bytes - before.own_bytes) / 1000:+.0f} kB.",
    )
    # The process that reads a connection gives it back when it has been idle for some seconds.
    assert after.descriptors <= before.descriptors + SITES
    assert after.shared_bytes - before.shared_bytes < TOLERATED_GROWTH_BYTES
    assert after.own_bytes - before.own_bytes < TOLERATED_OWN_BYTES


@dataclass(frozen=True, slots=True)
class Held:
    """What all of Kamailio's processes hold."""

    descriptors: int
    shared_bytes: int
    own_bytes: int
    """What no other process has a share in."""


def reconnect(proxy: Proxy, sites: list[LegSite], rounds: Iterator[int], count: int) -> None:
    """Close the connections of all sites and wait until each is verified anew, so many times."""
    for times in itertools.islice(rounds, count):
        for site in sites:
            site.close()
            site.open()
        for site in sites:
            wait_until_up(proxy, site, times, patience_s=PATIENCE_S)


def held(proxy: Proxy, sites: list[LegSite]) -> Held:
    """Wait until one connection per site is left and no transaction; say what is held then."""
    rpc = control(proxy)

    def is_settled() -> bool:
        connections = int(rpc.call("core.tcp_info")["opened_tls_connections"])
        return connections == len(sites) and int(rpc.call("tm.stats")["current"]) == 0

    what = "one connection per site is left, and no transaction"
    wait_until(is_settled, what, patience_s=PATIENCE_S)
    processes = psutil.Process(proxy.process.pid).children(recursive=True)
    return Held(
        sum(process.num_fds() for process in processes),
        int(rpc.call("core.shmmem")["used"]),
        sum(process.memory_full_info().uss for process in processes),
    )


def test_one_connection_carries_more_calls_than_a_host_takes(
    leg: Leg, number: str, rate: int, record_property: Note
) -> None:
    """All of a connection is read by one process: by its time per call, one is enough."""
    site = leg.site()
    leg.clearip(number, [site])
    proxy = leg.connected([site], clearip=PATIENT)
    count = CALLS_MEASURED * rate

    before = busy_ms(proxy)
    with Calls(proxy.place("udp"), number, rate=rate, count=count) as calls:
        calls.wait_for_answers(count)
    after = busy_ms(proxy)

    spent_ms = {name: (after[name] - before[name]) / count for name in after}
    reader_ms = max(spent for name, spent in spent_ms.items() if name.startswith("tcp receiver"))
    record_property(
        FIGURE,
        f"{count} calls at {rate}/s over one connection: the process that reads it takes "
        f"{reader_ms:.2f} ms of processor time per call, the whole proxy "
        f"{sum(spent_ms.values()):.2f} ms: one connection is good for "
        f"{round(1000 / reader_ms, -2):.0f} calls/s, for which the proxy needs "
        f"{sum(spent_ms.values()) / reader_ms:.1f} cores.",
    )
    assert {call.status for call in calls.placed} == {REFUSED.status}
    assert len({entry.peer for entry in site.received("INVITE")}) == 1
    assert 1000 / reader_ms > ENOUGH_PER_S


def busy_ms(proxy: Proxy) -> dict[str, float]:
    """The processor time that each of Kamailio's processes has taken so far, by what it is for."""
    processes: list[dict[str, Any]] = control(proxy).call("core.psx")
    times = {each["DSC"]: psutil.Process(int(each["PID"])).cpu_times() for each in processes}
    return {name: 1000 * (each.user + each.system) for name, each in times.items()}
