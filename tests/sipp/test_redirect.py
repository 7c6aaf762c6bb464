"""ClearIP's 302: its contacts are tried in order, each with what ClearIP signed."""

from sipp.clearip import ClearIp, token
from sipp.proxy import Proxy
from sipp.role import all_succeeded, tried_in_order
from sipp.sipp import Sipp


def test_302_with_one_contact_reaches_its_target(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The call goes to the only contact, signed, and the caller is answered."""
    target = sipp.play("target-200")
    identity = token()
    clearip.redirects_to(target.at(), identities=[identity])

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 180, 200]
    assert target.invite.request_uri == target.uri
    assert target.invite.headers("identity") == [identity]
    assert clearip.was_asked_once


def test_503_from_the_first_target_moves_the_search_on(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Targets are tried in the order of q, and no further than the one that answers."""
    first = sipp.play("target-final", status="503 Service Unavailable")
    second = sipp.play("target-200")
    third = sipp.play("nobody")
    clearip.redirects_to(second.at(q=0.5), first.at(q=1.0), third.at(q=0.1))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert tried_in_order(first, second)
    assert third.is_silent
    assert clearip.was_asked_once
