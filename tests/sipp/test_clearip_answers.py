"""ClearIP's answers other than routes, ClearIP's silence, and how it is asked."""

import pytest

from inline_proxy.lab.answer import Action, Answer
from sipp.clearip import (
    HOST,
    SILENCE,
    SITE_PORTS,
    TRYING_THEN_SILENCE,
    VACANT_SITE_PORT,
    ClearIp,
    token,
)
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp

NO_FRAUD = 'SIP;cause={status};text="no-fraud-detected"'
UNAVAILABLE = ['SIP;cause=503;text="ClearIP unavailable"']


# How it is asked


def test_clearip_is_asked_with_the_called_number_in_its_own_domain(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The Request-URI is the called user to the letter at ClearIP's domain, over TLS with SNI."""
    clearip.says(603, "Decline")

    user = f"{sipp.number};npdi;rn=+14045559999"
    called = f"sip:{user}@{proxy.place('udp').host_port};user=phone"
    caller = sipp.play("uac-refused", to=proxy, called=called)

    assert all_succeeded(caller)
    assert clearip.invite.request_uri == f"sip:{user}@sip.clearip.com"
    entry = clearip.entries()[0]
    assert entry.server_name == "sip.clearip.com"
    assert entry.tls in {"TLSv1.2", "TLSv1.3"}


def test_clearip_sees_the_callers_request_as_it_was_sent(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """From, To, Contact's parameters, PAI, Diversion, Identity and unknown headers are kept."""
    clearip.says(603, "Decline")
    lines = {
        "P-Asserted-Identity": '"Doe, J" <sip:+14045550100@192.0.2.1;user=phone>',
        "Diversion": "<sip:+14045550199@192.0.2.1>;reason=unconditional",
        "Identity": token(),
        "History-Info": "<sip:+14045550199@192.0.2.1>;index=1",
        "X-Custom": "kept; as=it is",
    }

    caller = sipp.play(
        "uac-refused",
        to=proxy,
        caller='"Caller" <sip:+14045550100@192.0.2.1;cpc=ordinary>',
        callee="<sip:+18005550100@192.0.2.2>",
        contact="<sip:+14045550100;tgrp=TG1;trunk-context=example.com@127.0.0.1>;x=y",
        headers="".join(f"\r\n{name}: {value}" for name, value in lines.items()),
    )

    assert all_succeeded(caller)
    (sent,) = caller.sent("INVITE")
    for header in ("from", "to", "call-id", "cseq", "contact"):
        assert clearip.invite.headers(header) == sent.headers(header)
    for header, value in lines.items():
        assert clearip.invite.headers(header) == [value]
    assert clearip.invite.body == sent.body
    assert clearip.invite.headers("max-forwards") == ["69"]
    assert not clearip.invite.headers("record-route")


def test_partition_of_the_configuration_is_part_of_the_domain(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """`partition: outbound` makes the host `outbound.sip.clearip.com`; SNI stays as it was."""
    proxy = proxy_with(clearip={"partition": "outbound"})
    clearip.says(603, "Decline")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert clearip.invite.request_uri == f"sip:{sipp.number}@outbound.sip.clearip.com"
    assert clearip.entries()[0].server_name == "sip.clearip.com"


def test_partition_of_the_source_wins(proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp) -> None:
    """The narrowest trusted network that holds the caller says which partition it is in."""
    proxy = proxy_with(
        clearip={"partition": "outbound"},
        trusted=["127.0.0.0/8", {"network": "127.0.0.77/32", "partition": "inbound"}],
    )
    clearip.says(603, "Decline")

    caller = sipp.play("uac-refused", to=proxy, host="127.0.0.77")

    assert all_succeeded(caller)
    assert clearip.invite.request_uri == f"sip:{sipp.number}@inbound.sip.clearip.com"


# What it says


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("603 Decline", None),
        ("603 Decline", 'SIP;cause=603;text="sti-blocked"'),
        (
            "603 Network Blocked",
            'Q.850;cause=21;location=LN;text="v=analytics1;url=https://redress.example/?id=1"',
        ),
        ("600 Busy Everywhere", None),
        ("607 Unwanted", None),
        ("608 Rejected", None),
        ("401 Unauthorized", None),
        ("407 Proxy Authentication Required", None),
        ("484 Address Incomplete", None),
    ],
)
def test_refusal_goes_to_the_caller_verbatim(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, status: str, reason: str | None
) -> None:
    """Phrase and Reason are untouched, and no default route undoes a block."""
    nobody = sipp.play("nobody")
    proxy = proxy_with(
        clearip={"on_no_route": "default_route", "on_unavailable": "default_route"},
        default_route=["sip:127.0.0.1:9"],
    )
    code, _, phrase = status.partition(" ")
    lines = [f"Contact: {nobody.at()}", *([f"Reason: {reason}"] if reason else [])]
    clearip.says(int(code), phrase, *lines)

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert f"{caller.final.status} {caller.final.reason_phrase}" == status
    assert caller.final.headers("reason") == ([reason] if reason else [])
    assert nobody.is_silent
    assert clearip.was_asked_once()


@pytest.mark.parametrize("status", [404, 503])
def test_no_route_is_relayed(proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: int) -> None:
    """The switch advances by itself: it gets ClearIP's code, a 503 being no 500, and Reason."""
    reason = NO_FRAUD.format(status=status)
    clearip.says(status, "No Fraud", f"Reason: {reason}")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, status]
    assert caller.final.reason_phrase == "No Fraud"
    assert caller.final.headers("reason") == [reason]
    assert clearip.was_asked_once()


@pytest.mark.parametrize("status", [403, 400, 413, 483, 500])
def test_fault_of_the_setup_is_relayed(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: int
) -> None:
    """ClearIP did not look at the call: the caller gets its code, and no other site is asked."""
    clearip.says(status, "Unknown SBC")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, status]
    assert caller.final.reason_phrase == "Unknown SBC"
    assert clearip.was_asked_once()


# What it does not say


def test_silent_site_is_followed_by_the_next(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """After `response_timeout_ms` the second site is asked, in the same words."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    clearip.answers(SILENCE, at_site=1)

    caller = sipp.play("uac-answered", to=fresh_proxy)

    assert all_succeeded(caller, target)
    (first,), (second,) = (clearip.received("INVITE", at_site=site) for site in (1, 2))
    assert first.request_uri == second.request_uri
    assert caller.statuses == [100, 200]


def test_site_that_tries_and_says_no_more_is_followed_by_the_next(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A 100 gives a site no longer than `response_timeout_ms`; it is then canceled."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    clearip.answers(TRYING_THEN_SILENCE, at_site=1)

    caller = sipp.play("uac-answered", to=fresh_proxy)

    assert all_succeeded(caller, target)
    clearip.wait_for("CANCEL")
    assert len(clearip.received("INVITE", at_site=1)) == 1
    assert len(clearip.received("INVITE", at_site=2)) == 1


def test_silence_of_all_sites_is_a_503_of_the_proxys(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Its Reason tells it from ClearIP's own 503, and each site was asked once."""
    clearip.answers(SILENCE)

    caller = sipp.play("uac-refused", to=fresh_proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 503]
    assert caller.final.headers("reason") == UNAVAILABLE
    assert clearip.methods == ["INVITE", "INVITE"]


def test_answer_after_its_time_makes_no_call(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A 302 that comes when the next site is being asked already is too late."""
    nobody, target = sipp.play("nobody"), sipp.play("target-rings-then-final", status="486 Busy")
    clearip.redirects_to(target.at())
    late = Answer(302, "Moved", (f"Contact: {nobody.at()}",), delay_ms=900)
    clearip.answers(late, at_site=1)

    caller = sipp.play("uac-refused", to=fresh_proxy)

    clearip.wait_until_it_has_said(302, at_site=1)
    target.wait_for("INVITE").cue()
    assert all_succeeded(caller, target)
    assert caller.final.status == 486
    assert nobody.is_silent


@pytest.mark.parametrize("action", [Action.CLOSE, Action.RESET, Action.CUT])
def test_site_that_hangs_up_is_followed_by_the_next(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp, action: Action
) -> None:
    """A connection that ends, or breaks off in the middle of an answer, costs no call."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    clearip.answers(Answer(action=action), at_site=1)

    caller = sipp.play("uac-answered", to=fresh_proxy)

    assert all_succeeded(caller, target)
    assert len(clearip.received("INVITE", at_site=2)) == 1


def test_site_that_refuses_the_connection_is_followed_by_the_next(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """A closed port costs no time and no call."""
    ports = (VACANT_SITE_PORT, SITE_PORTS[1])
    proxy = proxy_with(clearip={"sites": [{"host": HOST, "port": port} for port in ports]})
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert clearip.was_asked_once()


def test_refusal_of_all_sites_is_a_503_of_the_proxys(proxy_with: ProxyWith, sipp: Sipp) -> None:
    """Neither Kamailio's 477 nor a 408 reaches the caller."""
    proxy = proxy_with(clearip={"sites": [{"host": HOST, "port": VACANT_SITE_PORT}]})

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 503]
    assert caller.final.headers("reason") == UNAVAILABLE
