"""ClearIP at the far end of a wire that is slow, loses packets, or is cut without a word."""

import time
from collections import Counter
from collections.abc import Callable

import pytest

from sipp.clearip import HOST
from sipp.leg import (
    KEEPALIVE_S,
    REFUSED,
    RESPONSE_TIMEOUT_MS,
    TOLERANCE_MS,
    Leg,
    wait_for_lines,
    wait_until_up,
)
from sipp.leg_calls import Calls, median_ms, place_call
from sipp.leg_site import LegSite
from sipp.leg_table import row
from sipp.leg_wire import FAR, NEAR, Wire, wired

LISTEN = {"addresses": [HOST, NEAR]}
ROUND_TRIP_MS = 200
LOSS = 0.05
CALLS = 30
Note = Callable[[str, object], None]


@pytest.fixture
def wire(leg: Leg) -> Wire:
    """A wire that is taken away after the sites at its end."""
    return leg.until_the_end(wired())


@pytest.fixture
def far_site(leg: Leg, wire: Wire) -> LegSite:
    """A site at the far end."""
    site = leg.closed_site(host=FAR)
    with wire.far_host.entered():
        site.open()
    return site


def test_half_open_connection_is_found_by_the_keep_alive(
    leg: Leg, wire: Wire, far_site: LegSite, number: str, record_property: Note
) -> None:
    """Packets vanish, nobody closes: calls go on at the next site, and the site comes back."""
    second = leg.site()
    leg.clearip(number, [far_site, second])
    proxy = leg.connected([far_site, second], listen=LISTEN)

    with Calls(proxy.place("udp"), number, rate=20) as calls:
        calls.wait_for_more(5)
        wire.is_cut = True
        cut_s = time.monotonic()
        wait_for_lines(proxy, far_site, "is down: no answer to OPTIONS")
        found_s = time.monotonic() - cut_s
        calls.wait_for_more(5)
        wire.is_cut = False
        wait_until_up(proxy, far_site, times=2)
    after_cut = next(call for call in calls.placed if call.sent_s > cut_s)
    invites = [site.call_ids().count(after_cut.call_id) for site in (far_site, second)]
    record_property(*row("is cut off without a word (half-open)", after_cut, *invites))

    assert found_s < KEEPALIVE_S + (RESPONSE_TIMEOUT_MS + TOLERANCE_MS) / 1000
    assert {call.status for call in calls.placed} == {REFUSED.status}
    assert max(call.took_ms for call in calls.placed) < RESPONSE_TIMEOUT_MS + TOLERANCE_MS


def test_slow_and_lossy_wire_costs_no_call(
    leg: Leg, wire: Wire, far_site: LegSite, number: str, record_property: Note
) -> None:
    """200 ms of delay and 5 % loss: every call has its answer, from one INVITE."""
    second = leg.site()
    clearip = leg.clearip(number, [far_site, second])
    wire.delay_s, wire.loss = ROUND_TRIP_MS / 2000, LOSS
    proxy = leg.connected(
        [far_site, second], listen=LISTEN, clearip={"response_timeout_ms": 2000, "keepalive_s": 30}
    )

    with Calls(proxy.place("udp"), number, rate=20, count=CALLS) as calls:
        calls.wait_for_answers(CALLS)
    one = place_call(proxy.place("udp"), number)
    record_property(*row("is 200 ms away, and 5 % of the packets are lost", one, 1, 0))

    asked = Counter(invite.header("call-id") for invite in clearip.received("INVITE"))
    assert {call.status for call in (*calls.placed, one)} == {REFUSED.status}
    assert set(asked.values()) == {1}
    assert far_site.invites(number) == CALLS + 1
    assert ROUND_TRIP_MS <= median_ms(calls.placed) < 2 * ROUND_TRIP_MS
