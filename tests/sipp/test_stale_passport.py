"""A search that lasts: what ClearIP has signed grows old (RFC 8224 §6.2.2)."""

from collections.abc import Callable, Iterator

import pytest

from sipp.clearip import SILENCE, TRYING_THEN_SILENCE, ClearIp, Site, passport
from sipp.control import counted
from sipp.proxy import Proxies, Proxy
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp

STALE = "stale_passports"
TWO_MORE = ("target-final", "target-200")
OLD_S = 61
YOUNG_S = 30


ASK_AGAIN = {
    "clearip": {"response_timeout_ms": 500},
    "targets": {"on_stale_identity": "ask_again"},
}


@pytest.fixture
def asking_proxy(proxies: Proxies, clearip_sites: tuple[Site, ...]) -> Proxy:
    """A proxy that asks ClearIP again."""
    assert clearip_sites
    return proxies.with_changes(ASK_AGAIN)


@pytest.fixture
def fresh_asking_proxy(proxies: Proxies, clearip_sites: tuple[Site, ...]) -> Iterator[Proxy]:
    """Another one, for a test in which ClearIP fails."""
    assert clearip_sites
    proxy = proxies.fresh(ASK_AGAIN)
    yield proxy
    proxy.stop()


def identities(target: Role) -> list[str]:
    """The Identity headers of the INVITE that a target got."""
    return target.invite.headers("identity")


def test_stale_passport_is_counted_and_used_all_the_same(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The default: the further target may be lenient, and ClearIP is asked once."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    old = passport(seconds_old=OLD_S)
    clearip.redirects_to(first.at(), second.at(), identities=[old])
    before = counted(proxy, STALE)

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert identities(first) == identities(second) == [old]
    assert clearip.was_asked_once()
    assert counted(proxy, STALE) == before + 1
    proxy.wait_for_log(sipp.number, "PASSporT is older than a strict verifier accepts")


def test_young_passport_is_nothing_to_ask_about(
    asking_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Within a minute it is good for every target."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    young = passport(seconds_old=YOUNG_S)
    clearip.redirects_to(first.at(), second.at(), identities=[young])

    caller = sipp.play("uac-answered", to=asking_proxy)

    assert all_succeeded(caller, first, second)
    assert identities(second) == [young]
    assert clearip.was_asked_once()


def test_stale_passport_is_replaced_by_what_clearip_signs_then(
    asking_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """ClearIP gets one INVITE more; the targets that are left get the fresh Identity alone."""
    first, second, third = (sipp.play(name) for name in ("target-rings-then-final", *TWO_MORE))
    elsewhere = sipp.play("nobody")
    old, fresh = passport(seconds_old=OLD_S), passport()
    clearip.redirects_to(first.at(), second.at(), third.at(), identities=[old])
    caller = sipp.play("uac-answered", to=asking_proxy)
    first.wait_for("INVITE")
    clearip.redirects_to(elsewhere.at(), identities=[fresh])

    first.cue()

    assert all_succeeded(caller, first, second, third)
    assert identities(first) == [old]
    assert identities(second) == identities(third) == [fresh]
    assert len({invite.branch for invite in clearip.received("INVITE")}) == 2
    assert elsewhere.is_silent


def test_clearip_is_asked_again_once_only(
    asking_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A ClearIP whose clock is behind is no reason to go round and round."""
    first, second, third = (sipp.play(name) for name in ("target-final", *TWO_MORE))
    old = passport(seconds_old=OLD_S)
    clearip.redirects_to(first.at(), second.at(), third.at(), identities=[old])
    before = counted(asking_proxy, STALE)

    caller = sipp.play("uac-answered", to=asking_proxy)

    assert all_succeeded(caller, first, second, third)
    assert identities(third) == [old]
    assert len(clearip.received("INVITE")) == 2
    assert counted(asking_proxy, STALE) == before + 2


@pytest.mark.parametrize("status", ["404 Not Found", "503 Service Unavailable", "403 Forbidden"])
def test_clearip_that_signs_nothing_more_leaves_the_old_identity(
    asking_proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: str
) -> None:
    """The question was about the signature: the search goes on."""
    code, _, reason = status.partition(" ")

    assert_old_identity_stays(asking_proxy, clearip, sipp, lambda: clearip.says(int(code), reason))


def test_clearip_that_does_not_answer_again_leaves_the_old_identity(
    fresh_asking_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Its time is over, and the search goes on."""
    assert_old_identity_stays(fresh_asking_proxy, clearip, sipp, lambda: clearip.answers(SILENCE))


def assert_old_identity_stays(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, when_asked_again: Callable[[], object]
) -> None:
    """The second target gets what ClearIP signed at first."""
    first, second = sipp.play("target-rings-then-final"), sipp.play("target-200")
    old = passport(seconds_old=OLD_S)
    clearip.redirects_to(first.at(), second.at(), identities=[old])
    caller = sipp.play("uac-answered", to=proxy)
    first.wait_for("INVITE")
    when_asked_again()

    first.cue()

    assert all_succeeded(caller, first, second)
    assert identities(second) == [old]


def test_clearip_that_blocks_the_call_now_ends_it(
    asking_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A 603 is a 603, whenever it is said."""
    first, second = sipp.play("target-rings-then-final"), sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at(), identities=[passport(seconds_old=OLD_S)])
    caller = sipp.play("uac-refused", to=asking_proxy)
    first.wait_for("INVITE")
    clearip.says(603, "Decline")

    first.cue()

    assert all_succeeded(caller, first)
    assert caller.final.status == 603
    assert second.is_silent


def test_cancel_while_clearip_is_asked_again_ends_the_call(
    asking_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Nobody else is called."""
    first, second = sipp.play("target-rings-then-final"), sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at(), identities=[passport(seconds_old=OLD_S)])
    caller = sipp.play("uac-cancels", to=asking_proxy)
    first.wait_for("INVITE")
    clearip.answers(TRYING_THEN_SILENCE)
    first.cue()
    clearip.wait_until_it_has_said(100, at_site=1)

    caller.cue()

    assert all_succeeded(caller, first)
    assert caller.final.status == 487
    assert second.is_silent
