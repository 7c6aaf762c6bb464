"""Names that lead nowhere cost their target, and not the call."""

import pytest

from sipp.clearip import ClearIp
from sipp.names.dns_zone import DnsZone, Domain
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp


@pytest.mark.parametrize("host", ["nowhere.example", "trunk_group_1", "256.1.1.1"])
def test_name_that_does_not_exist_is_passed_over(
    proxy: Proxy, zone: DnsZone, clearip: ClearIp, sipp: Sipp, host: str
) -> None:
    """It costs that target, with a line in the log, and not the call."""
    target = sipp.play("target-200")
    clearip.redirects_to(f"<sip:{sipp.number}@{host}:5060>", target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert zone.asked(host, "A") == 1
    proxy.wait_for_log(sipp.number, f"has no address: sip:{sipp.number}@{host}:5060")


def test_name_of_the_proxy_itself_is_passed_over(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """A call never goes round, by whatever name."""
    target = sipp.play("target-200")
    domain.add("A", "127.0.0.1")
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}:{proxy.port}>", target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert clearip.was_asked_once()


def test_names_that_lead_nowhere_are_a_503(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """The caller hears why."""
    uris = (f"sip:{sipp.number}@{below}{domain.name}" for below in ("", "also."))
    clearip.redirects_to(*(f"<{uri}>" for uri in uris))

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 503]
    assert caller.final.headers("reason") == ['SIP;cause=503;text="target unreachable"']


def test_dead_name_server_costs_the_target_and_not_the_call(
    proxy: Proxy, domain: Domain, clearip: ClearIp, sipp: Sipp
) -> None:
    """No answer in its time: the next target is tried, and the log says what is wrong."""
    target = sipp.play("target-200")
    domain.hold()
    clearip.redirects_to(f"<sip:{sipp.number}@{domain.name}:5060>", target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    proxy.wait_for_log(sipp.number, f"name server: {domain.name} A: LifetimeTimeout")
