"""A name server that takes its time: whom it holds up, and whom not."""

from sipp.clearip import ClearIp
from sipp.conftest import IMPATIENT
from sipp.names.dns_zone import Domain
from sipp.names.refusing_target import RefusingTarget
from sipp.proxy import Proxy
from sipp.raw_request import RawCaller, request
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp
from sipp.waiting import wait_until

MANY = 40
"""More than a proxy has processes of any kind."""
WELL_UNDER_A_SECOND_S = 0.8
SEARCH_S = IMPATIENT["targets"]["search_timeout_ms"] / 1000


def wait_until_asked(domain: Domain) -> None:
    """Wait until the name server is asked for a name."""
    wait_until(domain.asked, f"somebody asks for {domain.name}")


def seconds_to(caller: Role, status: int) -> float:
    """How long a caller waited for a response."""
    invited = next(entry for entry in caller.trace if entry.direction == "sent")
    answered = next(entry for entry in caller.trace if entry.message.status == status)
    return answered.time - invited.time


def assert_another_call_is_quick(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """A call to a target without a name is answered at once."""
    quick = sipp.play("target-200")
    clearip.redirects_to(quick.at())
    caller = sipp.play("uac-answered", to=proxy)
    assert all_succeeded(caller, quick)
    assert seconds_to(caller, 200) < WELL_UNDER_A_SECOND_S


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

    assert_another_call_is_quick(proxy, clearip, sipp)
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


def test_many_look_ups_at_once_delay_no_other_call(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """More than there are workers; when the name server answers, all of them go on."""
    domain.add("A", "127.0.0.1")
    domain.hold()
    with RefusingTarget() as target, RawCaller(proxy.place("udp")) as waiting:
        clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}:{target.port}>")
        for number in range(MANY):
            waiting.send(call(sipp.number, proxy, number))
        wait_until(lambda: len(clearip.received("ACK")) == MANY, "ClearIP has answered all")
        wait_until_asked(domain)

        assert_another_call_is_quick(proxy, clearip, sipp)
        assert not target.calls

        domain.release()
        assert finals_heard(waiting, MANY) == {("INVITE", 603)}
        assert len(target.calls) == MANY


def test_many_canceled_look_ups_delay_no_other_call(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """Each caller who gives up is answered at once, and nobody is called for them."""
    domain.add("A", "127.0.0.1")
    domain.hold()
    with RefusingTarget() as target, RawCaller(proxy.place("udp")) as waiting:
        clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}:{target.port}>")
        for number in range(MANY):
            waiting.send(call(sipp.number, proxy, number))
        wait_until(lambda: len(clearip.received("ACK")) == MANY, "ClearIP has answered all")
        for number in range(MANY):
            waiting.send(call(sipp.number, proxy, number, "CANCEL"))
        assert finals_heard(waiting, 2 * MANY) == {("INVITE", 487), ("CANCEL", 200)}

        assert_another_call_is_quick(proxy, clearip, sipp)

        domain.release()
        wait_until(lambda: domain.asked("AAAA"), "the look-up goes on")
        assert not target.calls


def test_whole_search_ends_in_its_time_whatever_the_name_server_does(
    impatient_proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """`search_timeout_ms` counts the look-ups as well; the names share it."""
    names = [f"{label}.{domain.name}" for label in ("one", "two", "three", "four")]
    for name in names:
        domain.zone.hold(name)
    last = sipp.play("nobody")
    clearip.redirects_to(*(f"<sip:{sipp.number}@{name}:5060>" for name in names), last.at())

    caller = sipp.play("uac-refused", to=impatient_proxy)

    assert all_succeeded(caller)
    assert seconds_to(caller, 503) < SEARCH_S + WELL_UNDER_A_SECOND_S
    assert all(domain.zone.asked(name) for name in names[:2])
    assert last.is_silent


def finals_heard(callers: RawCaller, count: int) -> set[tuple[str, int]]:
    """Hear the final responses to so many requests; return their methods and statuses."""
    heard: dict[tuple[str, str], int] = {}
    while len(heard) < count:
        message = callers.hear_final()
        heard[message.header("call-id"), message.method] = message.status
    return {(method, status) for (_, method), status in heard.items()}


def call(number: str, proxy: Proxy, caller: int, method: str = "INVITE") -> str:
    """A request of one of many callers."""
    text = request(
        method,
        number,
        proxy.place("udp"),
        call_id=f"{number}-many-{caller}",
        cseq=f"1 {method}",
    )
    return text.replace(f"{number}.raw", f"{number}.many.{caller}")
