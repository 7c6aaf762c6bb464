"""ClearIP comes back: without a restart, and without a call that pays for the finding out."""

import time
from collections.abc import Callable

from inline_proxy.lab.answer import Answer
from sipp.clearip import HOST, SILENCE
from sipp.leg import (
    KEEPALIVE_S,
    REFUSED,
    TOLERANCE_MS,
    Leg,
    wait_for_lines,
    wait_until_down,
    wait_until_up,
)
from sipp.leg_calls import Calls, median_ms, place_call
from sipp.leg_table import row
from sipp.sipp import Sipp
from sipp.waiting import wait_until

UNAVAILABLE = 'SIP;cause=503;text="ClearIP unavailable"'
EMERGENCY_PORT, DEFAULT_PORT = 9300, 9310
SILENCES_TO_REST = 3
REST_S = 5
PROBE_LASTS_MS = 300
AT_ONCE_MS = 10
BUSY = "486 Busy Here"


def test_site_that_comes_back_is_used_within_two_keep_alives(leg: Leg, number: str) -> None:
    """Also when it was away for longer than that; meanwhile the other one is asked."""
    first, second = leg.site(), leg.site()
    leg.clearip(number, [first, second])
    proxy = leg.connected([first, second])

    first.close()
    wait_until_down(proxy, first)
    second.wait_for("OPTIONS", len(second.received("OPTIONS")) + 3)
    meanwhile = place_call(proxy.place("udp"), number)
    first.open()
    opened_s = time.monotonic()
    wait_until_up(proxy, first, times=2)
    away_s = time.monotonic() - opened_s
    afterwards = place_call(proxy.place("udp"), number)

    assert away_s < 2 * KEEPALIVE_S + TOLERANCE_MS / 1000
    assert [meanwhile.status, afterwards.status] == [REFUSED.status] * 2
    assert (first.invites(number), second.invites(number)) == (1, 1)


def test_proxy_that_starts_without_clearip_serves_and_recovers(
    leg: Leg, number: str, sipp: Sipp
) -> None:
    """Emergency calls and the default route need no ClearIP; it is used once it is there."""
    emergency = sipp.play("target-final", port=EMERGENCY_PORT, status=BUSY)
    default = sipp.play("target-final", port=DEFAULT_PORT, status=BUSY)
    site = leg.closed_site()
    leg.clearip(number, [site])
    proxy = leg.proxy(
        [site],
        clearip={"on_unavailable": "default_route"},
        emergency={"route": [f"sip:{HOST}:{EMERGENCY_PORT}"]},
        default_route=[f"sip:{HOST}:{DEFAULT_PORT}"],
    )

    urgent = place_call(proxy.place("udp"), "911")
    unsigned = place_call(proxy.place("udp"), number)
    site.open()
    wait_until_up(proxy, site)
    recovered = place_call(proxy.place("udp"), number)

    assert [urgent.status, unsigned.status, recovered.status] == [486, 486, REFUSED.status]
    assert emergency.invite.request_uri == f"sip:911@{HOST}:{EMERGENCY_PORT}"
    assert default.invite.request_uri == f"sip:{number}@{HOST}:{DEFAULT_PORT}"
    assert site.invites(number) == 1


def test_site_that_leaves_calls_without_answer_rests(leg: Leg, number: str) -> None:
    """Three silent calls open the breaker; then calls are answered at once, and one call probes.

    The site answers OPTIONS all the time: only calls tell how it is.
    """
    site = leg.site()
    clearip = leg.clearip(number, [site], SILENCE)
    proxy = leg.connected([site])

    with Calls(proxy.place("udp"), number, rate=20) as silent:
        wait_for_lines(proxy, site, "rests: calls were left without an answer")
    asked, rests_s = site.invites(number), time.monotonic()
    with Calls(proxy.place("udp"), number, rate=100, count=100) as resting:
        resting.wait_for_answers(100)
    asked_at_rest = site.invites(number) - asked
    rested_s = time.monotonic() - rests_s
    clearip.answers(Answer(603, "Decline", delay_ms=PROBE_LASTS_MS))
    with Calls(proxy.place("udp"), number, rate=50) as probing:
        wait_for_lines(proxy, site, "answers calls again")
        probing.wait_for_more(1)
    recovered = place_call(proxy.place("udp"), number)

    assert {call.status for call in (*silent.placed, *resting.placed)} == {503}
    assert resting.placed[0].final.headers("reason") == [UNAVAILABLE]
    assert median_ms(resting.placed) < AT_ONCE_MS
    assert asked >= SILENCES_TO_REST
    assert asked_at_rest <= rested_s // REST_S  # none, but where the machine has stood still
    assert site.invites_before_the_first_answer() == asked + asked_at_rest + 1
    assert recovered.status == REFUSED.status


def test_site_that_stays_silent_is_probed_by_one_call_at_a_time(
    leg: Leg, number: str, record_property: Callable[[str, object], None]
) -> None:
    """A probe that is left without an answer costs that call its time, and no other."""
    first, second = leg.site(), leg.site()
    clearip = leg.clearip(number, [first, second])
    clearip.answers(SILENCE, at_site=1)
    proxy = leg.connected([first, second])

    with Calls(proxy.place("udp"), number, rate=50) as calls:
        wait_until(lambda: first.invites(number) > SILENCES_TO_REST, "calls go to the first site")
        wait_for_lines(proxy, first, "rests: calls were left without an answer")
        asked = first.invites(number)
        wait_until(lambda: first.invites(number) > asked, "a call probes the first site")
        calls.wait_for_more(50)
    last = calls.placed[-1]
    invites = [site.call_ids().count(last.call_id) for site in (first, second)]
    record_property(*row("has left three calls in a row without an answer", last, *invites))

    assert {call.status for call in calls.placed} == {REFUSED.status}
    assert first.invites(number) == asked + 1
