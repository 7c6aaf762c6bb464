"""Identity: every one that ClearIP returned, on every attempt, in order, unchanged and once."""

import pytest

from sipp.clearip import ClearIp, token
from sipp.proxy import Proxy
from sipp.role import all_succeeded, tried_in_order
from sipp.sipp import Sipp


def test_every_attempt_carries_every_identity(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """The first, second and third target get the same headers, in ClearIP's order."""
    targets = [sipp.play("target-final"), sipp.play("target-final"), sipp.play("target-200")]
    identities = [token(), token("div"), token("rcd")]
    clearip.redirects_to(*(target.at() for target in targets), identities=identities)

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, *targets)
    assert tried_in_order(*targets)
    for target in targets:
        assert target.invite.headers("identity") == identities
    assert clearip.was_asked_once()


def test_compact_identity_header_is_an_identity_header(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """`y` is the compact form (RFC 8224 §4); both attempts get it."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    one, other = token(), token("div")
    clearip.redirects_to(first.at(), second.at(), headers=[f"y: {one}", f"Identity: {other}"])

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert first.invite.headers("identity") == [one, other]
    assert second.invite.headers("identity") == [one, other]


def test_identity_values_in_one_header_become_headers(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Values joined by a comma are taken apart, and each is unchanged."""
    target = sipp.play("target-200")
    one, other = token(), token("div")
    clearip.redirects_to(target.at(), headers=[f"Identity: {one}, {other}"])

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.headers("identity") == [one, other]


def test_identity_of_two_kilobytes_arrives_whole(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Neither the first nor a later attempt cuts a long value."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    identity = token("rcd", length=2000)
    clearip.redirects_to(first.at(), second.at(), identities=[identity])

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert first.invite.headers("identity") == [identity]
    assert second.invite.headers("identity") == [identity]


def test_received_identity_of_the_same_kind_is_replaced(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """ClearIP saw the caller's PASSporT; the targets see ClearIP's in its stead."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    received, signed = token("shaken"), token("shaken")
    clearip.redirects_to(first.at(), second.at(), identities=[signed])

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nIdentity: {received}")

    assert all_succeeded(caller, first, second)
    assert clearip.invite.headers("identity") == [received]
    assert first.invite.headers("identity") == [signed]
    assert second.invite.headers("identity") == [signed]


def test_received_identity_of_another_kind_is_kept(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A diverted call keeps the original PASSporT beside the new one (RFC 8946 §3)."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    received, signed = token("shaken"), token("div")
    clearip.redirects_to(first.at(), second.at(), identities=[signed])

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nIdentity: {received}")

    assert all_succeeded(caller, first, second)
    for target in (first, second):
        assert sorted(target.invite.headers("identity")) == sorted([received, signed])


@pytest.mark.parametrize("header", ["Identity", "y"])
def test_received_identity_stays_when_clearip_signs_nothing(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, header: str
) -> None:
    """A 302 without Identity takes none away."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    received = token()
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\n{header}: {received}")

    assert all_succeeded(caller, first, second)
    assert clearip.invite.headers("identity") == [received]
    assert first.invite.headers("identity") == [received]
    assert second.invite.headers("identity") == [received]


def test_asserted_identity_of_clearip_replaces_the_callers(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The name that ClearIP looked up reaches every target, the caller's own none."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    asserted = '"[V] DOE, J" <sip:+14045550100@192.0.2.1;verstat=TN-Validation-Passed>'
    clearip.redirects_to(
        first.at(), second.at(), headers=[f"P-Asserted-Identity: {asserted}", "X-Unknown: 1"]
    )

    caller = sipp.play(
        "uac-answered", to=proxy, headers="\r\nP-Asserted-Identity: <sip:+14045550100@192.0.2.1>"
    )

    assert all_succeeded(caller, first, second)
    for target in (first, second):
        assert target.invite.headers("p-asserted-identity") == [asserted]
        assert not target.invite.headers("x-unknown")
        assert not target.invite.headers("reason")
