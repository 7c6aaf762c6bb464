"""ClearIP's 302: its contacts are read to the letter and tried one at a time."""

import pytest

from sipp.clearip import ClearIp
from sipp.place import Transport
from sipp.proxy import Proxy
from sipp.role import all_succeeded, tried_in_order
from sipp.sipp import Sipp

MOST_CONTACTS = 12
"""ClearIP's limit."""


def test_302_with_one_contact_reaches_its_target(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The call goes to the only contact, and nothing of it but the Request-URI has changed."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 200]
    (sent,) = caller.sent("INVITE")
    for header in ("from", "to", "call-id", "cseq", "contact"):
        assert target.invite.headers(header) == sent.headers(header)
    assert target.invite.body == sent.body
    assert target.invite.request_uri == target.uri
    assert target.invite.headers("max-forwards") == ["69"]
    assert clearip.was_asked_once()


def test_ringing_of_a_target_is_heard_by_the_caller(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A provisional response passes at once, and the answer after it."""
    target = sipp.play("target-rings-then-200")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy)

    caller.wait_for(180)
    target.cue()
    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 180, 200]


def test_contacts_with_q_are_tried_in_its_order(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """The higher q comes first wherever it stands, and nobody after the one that answers."""
    first, second = sipp.play("target-final"), sipp.play("target-final")
    third, fourth = sipp.play("target-200"), sipp.play("nobody")
    clearip.redirects_to(third.at(q=0.5), first.at(q=1.0), fourth.at(q=0.1), second.at(q=0.95))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second, third)
    assert tried_in_order(first, second, third)
    assert fourth.is_silent
    assert clearip.was_asked_once()


@pytest.mark.parametrize("q", [0.5, None], ids=["equal-q", "no-q"])
def test_contacts_of_equal_q_are_tried_one_at_a_time(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, q: float | None
) -> None:
    """They are tried in the order given: while one rings, the next has heard nothing."""
    first, second = sipp.play("target-rings-then-final"), sipp.play("target-rings-then-final")
    third, fourth = sipp.play("target-200"), sipp.play("nobody")
    clearip.redirects_to(*(target.at(q) for target in (first, second, third, fourth)))

    caller = sipp.play("uac-answered", to=proxy)

    caller.wait_for(180)
    assert second.is_silent
    first.cue()
    second.wait_for("INVITE")
    assert third.is_silent
    second.cue()
    assert all_succeeded(caller, first, second, third)
    assert tried_in_order(first, second, third)
    assert fourth.is_silent
    assert clearip.was_asked_once()


def test_twelve_contacts_are_all_tried(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Eleven targets fail, and the twelfth answers."""
    failing = [sipp.play("target-final") for _ in range(MOST_CONTACTS - 1)]
    last = sipp.play("target-200")
    targets = [*failing, last]
    contacts = [target.at(q=0.99 - place / 100) for place, target in enumerate(targets)]
    clearip.redirects_to(*contacts)

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, *targets)
    assert tried_in_order(*targets)
    assert caller.statuses == [100, 200]
    assert clearip.was_asked_once()


def test_several_contact_headers_are_one_list(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Q orders contacts across headers, and the order of the headers breaks ties."""
    first, second, third = (sipp.play("target-final") for _ in range(3))
    last = sipp.play("target-200")
    clearip.moved(
        f"Contact: {second.at(q=0.5)}",
        f"Contact: {third.at(q=0.5)}, {first.at(q=0.9)}",
        f"Contact: {last.at(q=0.1)}",
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second, third, last)
    assert tried_in_order(first, second, third, last)
    assert clearip.was_asked_once()


def test_compact_contact_header_is_a_contact_header(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """`m` and `Contact` together are one list (RFC 3261 §7.3.3)."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    clearip.moved(f"m: {second.at(q=0.5)}", f"contact : {first.at(q=0.6)}")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)


def test_folded_contact_header_is_one_list(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """A line that begins with white space continues the one before (RFC 3261 §7.3.1)."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    clearip.moved(f"Contact:\r\n {first.at()}\r\n\t;q=0.9,\r\n  {second.at()};\r\n q=0.8")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)


def test_display_name_with_delimiters_is_no_contact_of_its_own(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    r"""Commas, angle brackets and \" inside quotation marks delimit nothing."""
    first, second, nobody = sipp.play("target-final"), sipp.play("target-200"), sipp.play("nobody")
    name = f'"Doe, \\"J\\" <{nobody.uri}>;q=1.0, <{nobody.uri}>"'
    clearip.redirects_to(f"Two Words {second.at(q=0.2)}", f"{name} {first.at(q=0.7)}")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)
    assert nobody.is_silent


def test_contact_without_brackets_keeps_its_parameters_to_itself(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """What follows an addr-spec belongs to the header, not to the URI (RFC 3261 §20.10)."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    clearip.redirects_to(f"{second.uri};q=0.3;expires=60", f"{first.uri} ; q=0.4")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)
    assert second.invite.request_uri == second.uri


@pytest.mark.parametrize(
    ("user", "parameters"),
    [
        ("{number};npdi;rn=+14045559999;cic=+1234", ""),
        ("{number}", ";tag;parameter=1"),
        ("9900{number};tgrp=TG-1;trunk-context=example.com", ";user=phone"),
        ("%2B1404%20x!$&'(*)-_.~", ";x=%5Bv%5D;lr"),
    ],
    ids=["number-portability", "uri-parameters", "trunk-group", "escapes"],
)
def test_contact_becomes_the_request_uri_to_the_letter(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, user: str, parameters: str
) -> None:
    """User parameters, URI parameters and escapes arrive as ClearIP wrote them."""
    target = sipp.play("target-200")
    uri = f"sip:{user.format(number=sipp.number)}@{target.place.host_port}{parameters}"
    clearip.redirects_to(f"<{uri}>;q=0.99")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == uri


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_ipv6_target_is_reached(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """An IPv4 caller talks to an IPv6 target for the whole dialog."""
    target = sipp.play("target-200", host="::1", transport=transport)
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == target.uri
    assert clearip.was_asked_once()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_contact_with_a_transport_is_reached_over_it(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, transport: Transport
) -> None:
    """`transport` of one contact says nothing about the next one."""
    first = sipp.play("target-final", transport=transport)
    second = sipp.play("target-200")
    third = sipp.play("nobody", transport=transport)
    clearip.redirects_to(*(target.at() for target in (first, second, third)))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert first.invite.header("via").startswith(f"SIP/2.0/{transport.upper()} ")
    assert second.invite.header("via").startswith("SIP/2.0/UDP ")
    assert third.is_silent


def test_same_contact_twice_is_tried_once(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """No target is asked twice in one search (RFC 3261 §16.5)."""
    target = sipp.play("target-final", status="503 No Circuit")
    clearip.redirects_to(target.at(q=0.9), target.at(q=0.8))

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == target.uri
    assert caller.final.reason_phrase == "No Circuit"


def test_malformed_contact_is_passed_over(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """One contact that cannot be read takes no other with it."""
    target = sipp.play("target-200")
    clearip.moved("Contact: <sip:broken@@", f"Contact: {target.at(q=0.1)}", "Contact: ,;<>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert clearip.was_asked_once()


def test_route_of_the_callers_own_making_steers_nothing(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A preloaded Route (RFC 3261 §16.4) leads neither past ClearIP nor past its contacts."""
    nobody, target = sipp.play("nobody"), sipp.play("target-200")
    clearip.redirects_to(target.at())

    caller = sipp.play(
        "uac-answered", to=proxy, headers=f"\r\nRoute: <sip:{nobody.place.host_port};lr>"
    )

    assert all_succeeded(caller, target)
    assert nobody.is_silent
    assert clearip.was_asked_once()
    assert not clearip.invite.headers("route")
    assert not target.invite.headers("route")
