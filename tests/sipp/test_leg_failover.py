"""A ClearIP site that fails costs a call a bounded time, and the caller never hears of it."""

from collections.abc import Callable

import pytest

from inline_proxy.lab.answer import Action, Answer
from sipp.clearip import SILENCE, TRYING_THEN_SILENCE
from sipp.leg import (
    KEEPALIVE_S,
    REFUSED,
    RESPONSE_TIMEOUT_MS,
    TOLERANCE_MS,
    Leg,
    wait_until_up,
)
from sipp.leg_calls import place_call
from sipp.leg_mute import Conduct, mute_server
from sipp.leg_table import row

UNAVAILABLE = 'SIP;cause=503;text="ClearIP unavailable"'
AT_ONCE_MS = 100
Note = Callable[[str, object], None]

FAILS_WITH_A_CALL = {
    "closes the connection when it has read the INVITE (FIN)": Answer(action=Action.CLOSE),
    "resets the connection when it has read the INVITE (RST)": Answer(action=Action.RESET),
    "closes the connection in the middle of its answer": Answer(action=Action.CUT),
    "says nothing to the INVITE": SILENCE,
    "answers 100, then nothing": TRYING_THEN_SILENCE,
}
ENDS_THE_CONNECTION = {Action.CLOSE, Action.RESET, Action.CUT}
NO_SERVER: dict[str, Conduct | None] = {
    "refuses the connection": None,
    "resets the connection after the ClientHello": "resets after the ClientHello",
    "takes the connection and never says anything": "never says anything",
}


@pytest.mark.parametrize("misbehaviour", FAILS_WITH_A_CALL)
def test_site_that_fails_with_a_call_gives_way_to_the_next(
    leg: Leg, number: str, misbehaviour: str, record_property: Note
) -> None:
    """One INVITE at each; the caller gets the second site's answer after one timeout at most.

    Where the connection has ended, the call does not wait for that.
    """
    first, second = leg.site(), leg.site()
    clearip = leg.clearip(number, [first, second])
    clearip.answers(FAILS_WITH_A_CALL[misbehaviour], at_site=1)
    proxy = leg.connected([first, second])

    call = place_call(proxy.place("udp"), number)

    invites = (first.invites(number), second.invites(number))
    record_property(*row(misbehaviour, call, *invites))
    assert call.status == REFUSED.status
    assert invites == (1, 1)
    is_told = FAILS_WITH_A_CALL[misbehaviour].action in ENDS_THE_CONNECTION
    waits = 2 if misbehaviour == "answers 100, then nothing" else 1
    assert call.took_ms < (0 if is_told else waits * RESPONSE_TIMEOUT_MS) + TOLERANCE_MS
    assert call.took_ms < RESPONSE_TIMEOUT_MS or not is_told


@pytest.mark.parametrize("misbehaviour", NO_SERVER)
def test_site_without_connection_is_passed_over(
    leg: Leg, number: str, misbehaviour: str, record_property: Note
) -> None:
    """It gets no INVITE, and costs a call nothing."""
    first, second = leg.closed_site(), leg.site()
    leg.clearip(number, [first, second])
    conduct = NO_SERVER[misbehaviour]
    if conduct is not None:
        leg.until_the_end(mute_server(first.port, conduct))
    proxy = leg.proxy([first, second])
    wait_until_up(proxy, second)

    call = place_call(proxy.place("udp"), number)

    record_property(*row(misbehaviour, call, 0, second.invites(number)))
    assert call.status == REFUSED.status
    assert call.took_ms < AT_ONCE_MS
    assert second.invites(number) == 1


@pytest.mark.parametrize("misbehaviour", list(FAILS_WITH_A_CALL)[::2])
def test_caller_gets_a_503_when_every_site_fails(leg: Leg, number: str, misbehaviour: str) -> None:
    """Never a 408 or 477 of the leg's; each site is asked once, and given its time once."""
    sites = [leg.site(), leg.site()]
    leg.clearip(number, sites, FAILS_WITH_A_CALL[misbehaviour])
    proxy = leg.connected(sites)

    call = place_call(proxy.place("udp"), number)

    assert call.status == 503
    assert call.final.headers("reason") == [UNAVAILABLE]
    assert 0 < int(call.final.header("retry-after")) <= KEEPALIVE_S + RESPONSE_TIMEOUT_MS // 1000
    assert [site.invites(number) for site in sites] == [1, 1]
    waits = 2 if misbehaviour == "answers 100, then nothing" else 1
    assert call.took_ms < 2 * waits * RESPONSE_TIMEOUT_MS + TOLERANCE_MS


def test_final_answer_is_the_answer(leg: Leg, number: str, record_property: Note) -> None:
    """Whatever ClearIP says, no other site is asked: it would be asked the same again."""
    sites = [leg.site(), leg.site()]
    proxy = leg.connected(sites)
    for status in (503, 408, 500, 404):
        called = f"{number}{status}"
        leg.clearip(called, sites, Answer(status, "From ClearIP"))

        call = place_call(proxy.place("udp"), called)

        invites = [site.invites(called) for site in sites]
        record_property(*row(f"answers {status}", call, *invites))
        assert (call.status, call.final.reason_phrase) == (status, "From ClearIP")
        assert invites == [1, 0]
        assert call.took_ms < AT_ONCE_MS
