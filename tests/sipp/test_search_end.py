"""What the caller hears when a search has come to its end."""

import pytest

from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.role import all_succeeded, tried_in_order
from sipp.sipp import Sipp

REASON = 'Q.850;cause=34;text="No circuit"'


def test_failure_of_all_targets_gives_the_caller_the_best_answer(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """The lowest class wins (RFC 3261 §16.7), with its phrase and Reason, whichever came last."""
    proxy = proxy_with(targets={"advance_on": [404, "5xx"]})
    first = sipp.play("target-final", status="503 No Circuit")
    best = sipp.play(
        "target-final", status="404 Unallocated Number", headers=f"\r\nReason: {REASON}"
    )
    last = sipp.play("target-final", status="500 Server Internal Error")
    clearip.redirects_to(first.at(), best.at(), last.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, first, best, last)
    assert caller.final.status == 404
    assert caller.final.reason_phrase == "Unallocated Number"
    assert caller.final.headers("reason") == [REASON]
    assert clearip.was_asked_once()


def test_equally_good_answers_give_the_caller_the_preferred_targets(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Of two failures of one class, the preferred target's is told; a 503 stays a 503."""
    first = sipp.play("target-final", status="503 First", headers="\r\nRetry-After: 7")
    second = sipp.play("target-final", status="500 Second")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, first, second)
    assert (caller.final.status, caller.final.reason_phrase) == (503, "First")
    assert caller.final.headers("retry-after") == ["7"]


def test_answer_of_a_target_is_better_than_silence_of_another(
    impatient_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """What somebody said counts more than the 408 that nobody said."""
    first, second = sipp.play("target-final", status="500 Failed"), sipp.play("target-silent")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-refused", to=impatient_proxy)

    assert all_succeeded(caller, first)
    assert (caller.final.status, caller.final.reason_phrase) == (500, "Failed")
    assert second.invite.request_uri == second.uri


def test_silence_of_all_targets_is_a_408(
    impatient_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """No target answers: the proxy says so itself (RFC 3261 §16.8)."""
    first, second = sipp.play("target-silent"), sipp.play("target-silent")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-refused", to=impatient_proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 408]
    assert tried_in_order(first, second)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_refusal_of_all_connections_is_a_503(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """The caller gets a 503 that says why (RFC 3261 §16.9), and no code of Kamailio's own."""
    clearip.redirects_to(*(f"<{sipp.vacancy(transport).uri(sipp.number)}>" for _ in range(2)))

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 503]
    assert caller.final.headers("reason") == ['SIP;cause=503;text="target unreachable"']
    assert clearip.was_asked_once()


def test_answer_is_kept_when_the_last_target_refuses_the_connection(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """What the first target said is not lost with the second."""
    first = sipp.play("target-final", status="500 Failed")
    clearip.redirects_to(first.at(), f"<{sipp.vacancy('tcp').uri(sipp.number)}>")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, first)
    assert (caller.final.status, caller.final.reason_phrase) == (500, "Failed")


def test_redirection_by_the_last_target_is_a_502(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The caller never sees the 302, nor where it pointed."""
    elsewhere = sipp.play("nobody")
    target = sipp.play(
        "target-final", status="302 Moved Temporarily", headers=f"\r\nContact: {elsewhere.at()}"
    )
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 502]
    assert not caller.final.headers("contact")
    assert elsewhere.is_silent


def test_search_ends_when_its_time_is_over(
    impatient_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """`search_timeout_ms` cuts the second target short, which is canceled; no third is tried."""
    first = sipp.play("target-rings-until-canceled")
    second = sipp.play("target-rings-until-canceled")
    third = sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at(), third.at())

    caller = sipp.play("uac-refused", to=impatient_proxy)

    assert all_succeeded(caller, first, second)
    assert caller.statuses == [100, 180, 408]
    assert tried_in_order(first, second)
    assert third.is_silent
    assert clearip.was_asked_once()
