"""Every code that ClearIP can answer, under every setting that bears on it.

What is here is the table of `docs/clearip-answers.md`, played.
"""

import pytest

from sipp.clearip import HOST, ClearIp, token
from sipp.conftest import ProxyWith
from sipp.role import all_succeeded
from sipp.sipp import Sipp

DEFAULT_PORT = 9960
SETTINGS = {
    "nothing": {},
    "no-route": {"on_no_route": "default_route"},
    "unavailable": {"on_unavailable": "default_route"},
    "both": {"on_no_route": "default_route", "on_unavailable": "default_route"},
}
NO_ROUTE = (404, 503)
FAULTS = (400, 403, 408, 413, 480, 483, 486, 500, 580)
REFUSALS = (401, 407, 484, 600, 603, 607, 608)
REDIRECTIONS = (300, 302, 399)
RELAYED = {
    "nothing": (*NO_ROUTE, *FAULTS, *REFUSALS),
    "no-route": (*FAULTS, *REFUSALS),
    "unavailable": (*NO_ROUTE, *REFUSALS),
    "both": REFUSALS,
}
ROUTED = {
    "nothing": REDIRECTIONS,
    "no-route": (*NO_ROUTE, *REDIRECTIONS),
    "unavailable": (*FAULTS, *REDIRECTIONS),
    "both": (*NO_ROUTE, *FAULTS, *REDIRECTIONS),
}
ANSWERS = {404: "refuse", 480: "no_route", 500: "route", 437: "refuse", 503: "setup_fault"}


def cases(codes_by_setting: dict[str, tuple[int, ...]]) -> list[tuple[str, int]]:
    """Every setting with each of its codes."""
    return [(setting, code) for setting, codes in codes_by_setting.items() for code in codes]


@pytest.mark.parametrize(("setting", "status"), cases(RELAYED))
def test_code_is_relayed_with_phrase_and_reason(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, setting: str, status: int
) -> None:
    """A default route is there, and the setting does not send this code to it."""
    proxy = proxy_with(clearip=SETTINGS[setting], default_route=[f"sip:{HOST}:{DEFAULT_PORT}"])
    reason = f'SIP;cause={status};text="some-token"'
    clearip.says(status, "As ClearIP Says", f"Reason: {reason}", "Contact: <sip:1@127.0.0.1:9>")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, status]
    assert caller.final.reason_phrase == "As ClearIP Says"
    assert caller.final.headers("reason") == [reason]
    assert clearip.was_asked_once()
    proxy.wait_for_log(sipp.number, f"relayed: {status}")
    is_loud = any("ERROR" in line and "(setup_fault)" in line for line in proxy.log_of(sipp.number))
    assert is_loud is (status in FAULTS)


@pytest.mark.parametrize(("setting", "status"), cases(ROUTED))
def test_code_leads_to_the_default_route_with_what_it_brings(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, setting: str, status: int
) -> None:
    """Its Contact, where there is one, points back; the caller hears nothing of the code."""
    proxy = proxy_with(clearip=SETTINGS[setting], default_route=[f"sip:{HOST}:{DEFAULT_PORT}"])
    target, identity = sipp.play("target-200", port=DEFAULT_PORT), token()
    clearip.says(
        status, "As", f"Contact: <sip:{sipp.number}@sip.clearip.com>", f"Identity: {identity}"
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 200]
    assert target.invite.headers("identity") == [identity]
    assert clearip.was_asked_once()


@pytest.mark.parametrize("status", REDIRECTIONS)
def test_redirection_of_any_code_is_followed(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, status: int
) -> None:
    """And none of them is ever heard by the caller."""
    proxy = proxy_with(clearip=SETTINGS["both"], default_route=[f"sip:{HOST}:{DEFAULT_PORT}"])
    target = sipp.play("target-200")
    clearip.says(status, "Elsewhere", f"Contact: {target.at()}")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 200]


@pytest.mark.parametrize("status", [404, 437])
def test_code_that_is_set_to_refuse_is_relayed(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, status: int
) -> None:
    """`clearip.answers` wins over the table, and no setting sends the call elsewhere."""
    nobody = sipp.play("nobody", port=DEFAULT_PORT)
    proxy = proxy_with(
        clearip={**SETTINGS["both"], "answers": ANSWERS},
        default_route=[f"sip:{HOST}:{DEFAULT_PORT}"],
    )
    clearip.says(status, "Refused", f"Contact: {nobody.at()}")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, status]
    assert nobody.is_silent


@pytest.mark.parametrize(("status", "is_loud"), [(480, False), (503, True)])
def test_code_that_is_set_to_mean_something_else_means_it(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, status: int, *, is_loud: bool
) -> None:
    """480 is no route here, and 503 a fault."""
    target = sipp.play("target-200", port=DEFAULT_PORT)
    proxy = proxy_with(
        clearip={**SETTINGS["both"], "answers": ANSWERS},
        default_route=[f"sip:{HOST}:{DEFAULT_PORT}"],
    )
    clearip.says(status, "No")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    proxy.wait_for_log(sipp.number, "target 1: ")
    log = proxy.log_of(sipp.number)
    assert any("ERROR" in line and "(setup_fault)" in line for line in log) is is_loud


def test_code_that_is_set_to_route_brings_routes(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """The contacts of a 500 are searched like those of a 302."""
    proxy = proxy_with(clearip={"answers": ANSWERS})
    first, second, identity = sipp.play("target-final"), sipp.play("target-200"), token()
    clearip.says(
        500, "Routes", f"Contact: {second.at(q=0.1)}, {first.at()}", f"Identity: {identity}"
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert second.invite.headers("identity") == [identity]


def test_code_that_is_set_to_route_and_brings_none_is_relayed(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """As a 404 would be."""
    proxy = proxy_with(clearip={"answers": ANSWERS})
    clearip.says(500, "Nothing", f"Contact: <sip:{sipp.number}@sip.clearip.com>")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert (caller.final.status, caller.final.reason_phrase) == (500, "Nothing")
    assert not caller.final.headers("contact")
