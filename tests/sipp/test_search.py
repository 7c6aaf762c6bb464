"""The sequential search: which failure moves it on, which ends it, and what the caller hears."""

import pytest

from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.role import all_succeeded, tried_in_order
from sipp.sipp import Sipp

REASON = 'Q.850;cause=34;text="No circuit"'


# What moves the search on


@pytest.mark.parametrize(
    "status",
    [
        "408 Request Timeout",
        "500 Server Internal Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Server Time-out",
    ],
)
def test_code_of_advance_on_moves_the_search_on(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: str
) -> None:
    """The next target is tried, and the caller hears of the second alone."""
    first, second = sipp.play("target-final", status=status), sipp.play("target-200")
    third = sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at(), third.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)
    assert caller.statuses == [100, 200]
    assert third.is_silent
    assert clearip.was_asked_once()


def test_configured_class_moves_the_search_on(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """`advance_on: [404, 5xx]` moves on at both, and no longer at the default's 408."""
    proxy = proxy_with(targets={"advance_on": [404, "5xx"]})
    first = sipp.play("target-final", status="404 Not Found")
    second = sipp.play("target-final", status="580 Precondition Failure")
    third = sipp.play("target-final", status="408 Request Timeout")
    fourth = sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at(), third.at(), fourth.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, first, second, third)
    assert tried_in_order(first, second, third)
    assert caller.final.status == 408
    assert fourth.is_silent


def test_target_that_rings_and_fails_moves_the_search_on(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A provisional response is no promise."""
    first, second = sipp.play("target-rings-then-final"), sipp.play("target-200")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-answered", to=proxy)

    caller.wait_for(180)
    assert second.is_silent
    first.cue()
    assert all_succeeded(caller, first, second)
    assert clearip.was_asked_once()


def test_silent_target_moves_the_search_on(
    impatient_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """After `no_response_timeout_ms` the next is tried; the silent one hears no more of it."""
    first, second = sipp.play("target-silent"), sipp.play("target-200")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-answered", to=impatient_proxy)

    assert all_succeeded(caller, second)
    assert first.invite.request_uri == first.uri
    assert {message.method for message in first.received()} == {"INVITE"}
    assert clearip.was_asked_once()


@pytest.mark.parametrize("role", ["target-trying", "target-rings-until-canceled"])
def test_target_that_takes_too_long_is_canceled(
    impatient_proxy: Proxy, clearip: ClearIp, sipp: Sipp, role: str
) -> None:
    """After `answer_timeout_ms` it gets a CANCEL, and the next is tried."""
    first, second = sipp.play(role), sipp.play("target-200")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-answered", to=impatient_proxy)

    assert all_succeeded(caller, first, second)
    assert len(first.received("CANCEL")) == 1
    assert clearip.was_asked_once()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_target_that_refuses_the_connection_moves_the_search_on(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """A refused connection is a failed target, wherever in the list it stands."""
    second, fourth = sipp.play("target-final"), sipp.play("target-200")
    vacant = [sipp.vacancy(transport).uri(sipp.number) for _ in range(3)]
    clearip.redirects_to(
        f"<{vacant[0]}>", second.at(), f"<{vacant[1]}>", f"<{vacant[2]}>", fourth.at()
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, second, fourth)
    assert tried_in_order(second, fourth)
    assert clearip.was_asked_once()


def test_closed_udp_port_moves_the_search_on(
    impatient_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """UDP tells nobody that nobody listens: time does."""
    second = sipp.play("target-200")
    clearip.redirects_to(f"<{sipp.vacancy().uri(sipp.number)}>", second.at())

    caller = sipp.play("uac-answered", to=impatient_proxy)

    assert all_succeeded(caller, second)
    assert clearip.was_asked_once()


def test_target_with_a_name_that_does_not_resolve_moves_the_search_on(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A name without address is a failed target."""
    second = sipp.play("target-200")
    clearip.redirects_to(f"<sip:{sipp.number}@no-such-host.invalid>", second.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, second)
    assert clearip.was_asked_once()


def test_target_that_redirects_has_failed(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """A target's 302 is not followed: the next target of ClearIP's is tried."""
    elsewhere = sipp.play("nobody")
    first = sipp.play(
        "target-final", status="302 Moved Temporarily", headers=f"\r\nContact: {elsewhere.at()}"
    )
    second = sipp.play("target-200")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert elsewhere.is_silent
    assert clearip.was_asked_once()


# What ends it


@pytest.mark.parametrize(
    "status",
    [
        "400 Bad Request",
        "403 Forbidden",
        "404 Not Found",
        "480 Temporarily Unavailable",
        "484 Address Incomplete",
        "486 Busy Here",
        "487 Request Terminated",
        "488 Not Acceptable Here",
        "501 Not Implemented",
        "600 Busy Everywhere",
        "603 Network Blocked",
        "604 Does Not Exist Anywhere",
        "607 Unwanted",
        "608 Rejected",
    ],
)
def test_any_other_code_ends_the_search(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: str
) -> None:
    """The caller gets the answer as the target gave it, and nobody else is called."""
    first = sipp.play("target-final", status=status, headers=f"\r\nReason: {REASON}")
    second = sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, first)
    assert f"{caller.final.status} {caller.final.reason_phrase}" == status
    assert caller.final.headers("reason") == [REASON]
    assert second.is_silent
    assert clearip.was_asked_once()


@pytest.mark.parametrize(
    ("status", "header"),
    [
        ("401 Unauthorized", "WWW-Authenticate"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate"),
    ],
)
def test_question_for_credentials_goes_to_the_caller(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: str, header: str
) -> None:
    """A 401 or 407 ends the search, with its challenge."""
    challenge = 'Digest realm="target", nonce="1a2b"'
    first = sipp.play("target-final", status=status, headers=f"\r\n{header}: {challenge}")
    second = sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, first)
    assert f"{caller.final.status} {caller.final.reason_phrase}" == status
    assert caller.final.headers(header) == [challenge]
    assert second.is_silent


def test_refusal_by_a_later_target_ends_the_search(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A "no" of the second target is not outweighed by the failure of the first."""
    first = sipp.play("target-final")
    second = sipp.play("target-final", status="486 Busy Here")
    third = sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at(), third.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, first, second)
    assert caller.final.status == 486
    assert third.is_silent
