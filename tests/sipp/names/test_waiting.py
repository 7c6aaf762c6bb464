"""A name server that takes its time: whom it holds up, and whom not."""

from sipp.clearip import ClearIp
from sipp.names.dns_zone import Domain
from sipp.proxy import Proxy
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp
from sipp.waiting import wait_until

HELD_CALLS = 8
"""As many as a proxy has UDP workers."""
WELL_UNDER_A_SECOND_S = 0.8


def wait_until_asked(domain: Domain) -> None:
    """Wait until the name server is asked for a name."""
    wait_until(domain.asked, f"somebody asks for {domain.name}")


def seconds_to_answer(caller: Role) -> float:
    """How long a caller waited for its 200."""
    invited = next(entry for entry in caller.trace if entry.direction == "sent")
    answered = next(entry for entry in caller.trace if entry.message.status == 200)
    return answered.time - invited.time


def test_slow_name_server_delays_no_other_call(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """While calls wait for an address, one to an address is answered at once."""
    domain.add("A", "127.0.0.1")
    domain.hold()
    slow = sipp.play("target-200")
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}:{slow.place.port}>")
    waiting = sipp.play("uac-answered", to=proxy)
    wait_until_asked(domain)

    quick = sipp.play("target-200")
    clearip.redirects_to(quick.at())
    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, quick)
    assert seconds_to_answer(caller) < WELL_UNDER_A_SECOND_S
    assert slow.is_silent
    domain.release()
    assert all_succeeded(waiting, slow)


def test_cancel_while_a_name_is_looked_up_ends_the_call(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """The caller gets its 487 at once; what the name server says then rings nowhere."""
    target, other = sipp.play("nobody"), sipp.play("nobody")
    domain.add("A", "127.0.0.1")
    domain.hold()
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}:{target.place.port}>", other.at())
    caller = sipp.play("uac-cancels", to=proxy)
    wait_until_asked(domain)

    caller.cue()

    assert all_succeeded(caller)
    assert caller.statuses == [100, 487]
    domain.release()
    wait_until(lambda: domain.asked("AAAA"), "the look-up goes on")
    assert target.is_silent
    assert other.is_silent


def test_look_up_after_a_failed_target_delays_no_other_call(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """A search that comes to a name waits for it alone."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    domain.add("A", "127.0.0.1")
    domain.hold()
    clearip.redirects_to(first.at(), f"<sip:{sipp.number}@{domain.name}:{second.place.port}>")
    caller = sipp.play("uac-answered", to=proxy)
    wait_until_asked(domain)
    assert all_succeeded(first)
    assert second.is_silent

    domain.release()

    assert all_succeeded(caller, second)


def test_name_that_takes_longer_than_a_target_may_is_passed_over(
    impatient_proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """After `no_response_timeout_ms` the next target is tried; the name's address rings nowhere."""
    late, second = sipp.play("nobody"), sipp.play("target-rings-then-final")
    domain.add("A", "127.0.0.1")
    domain.hold()
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}:{late.place.port}>", second.at())
    caller = sipp.play("uac-refused", to=impatient_proxy)

    second.wait_for("INVITE")
    domain.release()
    second.cue()

    assert all_succeeded(caller, second)
    assert late.is_silent
