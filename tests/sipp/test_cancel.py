"""CANCEL at every stage: the caller gets its 487, and nothing is called or left ringing."""

from inline_proxy.lab.answer import Answer
from sipp.clearip import SILENCE, TRYING_THEN_SILENCE, ClearIp
from sipp.proxy import Proxy
from sipp.raw_request import ask, request
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp

WELL_UNDER_A_SECOND_S = 0.8


def test_cancel_while_clearip_thinks_reaches_clearip(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """ClearIP answers the CANCEL and its INVITE; nobody is called, no other site is asked."""
    clearip.answers(TRYING_THEN_SILENCE)

    caller = sipp.play("uac-cancels", to=proxy)

    clearip.wait_until_it_has_said(100, at_site=1)
    caller.cue()
    assert all_succeeded(caller)
    assert caller.statuses == [100, 487]
    clearip.wait_for("ACK")
    assert clearip.methods == ["INVITE", "CANCEL", "ACK"]


def test_cancel_before_clearip_says_a_word_ends_the_call(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """What has sent no provisional response is not canceled (RFC 3261 §9.1)."""
    clearip.answers(SILENCE)

    caller = sipp.play("uac-cancels", to=fresh_proxy)

    clearip.wait_for("INVITE")
    caller.cue()
    assert all_succeeded(caller)
    assert caller.statuses == [100, 487]
    assert clearip.methods == ["INVITE"]


def test_302_after_a_cancel_makes_no_call(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """ClearIP's answer crosses the CANCEL: no target is called, and the caller sees no 302."""
    nobody = sipp.play("nobody")
    clearip.answers(Answer(302, "Moved Temporarily", (f"Contact: {nobody.at()}",), delay_ms=400))

    caller = sipp.play("uac-cancels", to=proxy)

    clearip.wait_for("INVITE")
    caller.cue()
    clearip.wait_until_it_has_said(302, at_site=1)
    assert all_succeeded(caller)
    assert caller.statuses == [100, 487]
    proxy.wait_for_log(sipp.number, "487")
    assert nobody.is_silent


def test_cancel_while_the_first_target_rings_ends_its_ringing(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The ringing target is canceled, the next is not called."""
    target, nobody = sipp.play("target-rings-until-canceled"), sipp.play("nobody")
    clearip.redirects_to(target.at(), nobody.at())

    caller = sipp.play("uac-cancels", to=proxy)

    caller.wait_for(180).cue()
    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 180, 487]
    assert nobody.is_silent
    assert clearip.was_asked_once()


def test_cancel_while_a_later_target_rings_ends_its_ringing(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The target that rings is canceled; the one that has failed hears no more of the call."""
    first = sipp.play("target-final")
    second, nobody = sipp.play("target-rings-until-canceled"), sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at(), nobody.at())

    caller = sipp.play("uac-cancels", to=proxy)

    caller.wait_for(180).cue()
    assert all_succeeded(caller, first, second)
    assert caller.statuses == [100, 180, 487]
    assert not first.received("CANCEL")
    assert nobody.is_silent
    assert clearip.was_asked_once()


def test_cancel_before_a_target_says_a_word_ends_the_call_at_once(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Long before the target's time is over; the target is canceled as soon as it rings."""
    target, nobody = sipp.play("target-rings-late-until-canceled"), sipp.play("nobody")
    clearip.redirects_to(target.at(), nobody.at())

    caller = sipp.play("uac-cancels", to=proxy)

    target.wait_for("INVITE")
    caller.cue()
    assert all_succeeded(caller)
    assert caller.statuses == [100, 487]
    assert seconds_from_cancel_to_final(caller) < WELL_UNDER_A_SECOND_S
    assert not target.received("CANCEL")
    target.cue()
    assert all_succeeded(target)
    assert nobody.is_silent


def seconds_from_cancel_to_final(caller: Role) -> float:
    """How long a caller who gave up was kept."""
    canceled = next(each for each in caller.trace if each.message.method == "CANCEL")
    ended = next(each for each in caller.trace if each.message.status == 487)
    return ended.time - canceled.time


def test_failure_after_a_cancel_makes_no_call(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """A target that answers the CANCEL with a 503 does not move the search on."""
    target, nobody = sipp.play("target-fails-when-canceled"), sipp.play("nobody")
    clearip.redirects_to(target.at(), nobody.at())

    caller = sipp.play("uac-cancels", to=proxy)

    caller.wait_for(180).cue()
    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 180, 487]
    assert nobody.is_silent


def test_answer_that_crosses_a_cancel_is_passed_on(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A 200 counts, however late (RFC 3261 §9.1): the caller acknowledges it and hangs up."""
    target, nobody = sipp.play("target-answers-when-canceled"), sipp.play("nobody")
    clearip.redirects_to(target.at(), nobody.at())

    caller = sipp.play("uac-cancels-too-late", to=proxy)

    caller.wait_for(180).cue()
    caller.wait_for(200)
    target.cue()
    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 180, 200]
    assert nobody.is_silent
    assert clearip.was_asked_once()


def test_target_that_took_too_long_is_canceled_before_the_next_rings(
    impatient_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A caller who gives up while the second rings leaves neither of them ringing."""
    first, second = (sipp.play("target-rings-until-canceled") for _ in range(2))
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-cancels", to=impatient_proxy)

    second.wait_for("INVITE")
    caller.cue()
    assert all_succeeded(caller, first, second)
    assert caller.final.status == 487


def test_cancel_of_an_unknown_call_is_a_481(proxy: Proxy, clearip: ClearIp, number: str) -> None:
    """A CANCEL without its INVITE cancels nothing (RFC 3261 §9.2)."""
    place = proxy.place("udp")

    response = ask(place, request("CANCEL", number, place))

    assert response.status == 481
    assert not clearip.received()
