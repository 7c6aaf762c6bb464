"""The example of `docs/redirect-services.md`: another service than ClearIP, by configuration."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from inline_proxy.paths import ROOT
from sipp.clearip import HOST, SITE_PORTS, ClearIp, token
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp

GATEWAY_PORT, SCREENING_PORT = 9980, 9990


def example() -> dict[str, Any]:
    """The configuration on the page."""
    page = (ROOT / "docs" / "redirect-services.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    loaded: dict[str, Any] = YAML(typ="safe").load(block)
    return loaded


@pytest.fixture
def proxy(proxy_with: ProxyWith) -> Proxy:
    """The example; the places in it are on loopback, where the service has ClearIP's name."""
    config = example()
    config["clearip"]["sites"] = [{"host": HOST, "port": port} for port in SITE_PORTS]
    del config["clearip"]["tls"]
    config["default_route"] = [f"sip:{HOST}:{GATEWAY_PORT}"]
    config["trusted"] = ["127.0.0.0/9"]
    config["targets"] = {"aliases": {"screening.example.net": f"sip:{HOST}:{SCREENING_PORT}"}}
    return proxy_with(**config)


def test_other_service_is_asked_in_its_own_domain(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """And told which switch the call comes from."""
    clearip.says(603, "Decline")

    caller = sipp.play("uac-refused", to=proxy, host="127.0.0.66")

    assert all_succeeded(caller)
    assert clearip.invite.request_uri == f"sip:{sipp.number}@redirect.example.net"
    assert clearip.invite.headers("p-source-device") == ["127.0.0.66"]


def test_source_device_that_a_switch_names_is_kept(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """It knows better where the call comes from; the target hears of none of the proxy's."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy, headers="\r\nP-Source-Device: 192.0.2.50")

    assert all_succeeded(caller, target)
    assert clearip.invite.headers("p-source-device") == ["192.0.2.50"]
    assert target.invite.headers("p-source-device") == ["192.0.2.50"]


def test_source_device_is_for_the_service_alone(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """A carrier does not learn a switch's address from it."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert clearip.invite.headers("p-source-device") == [HOST]
    assert not first.invite.headers("p-source-device")
    assert not second.invite.headers("p-source-device")


@pytest.mark.parametrize("status", [404, 437, 608])
def test_refusal_of_other_service_goes_to_the_caller(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: int
) -> None:
    """Its 404 means "no such number"."""
    nobody = sipp.play("nobody", port=GATEWAY_PORT)
    clearip.says(status, "No")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, status]
    assert nobody.is_silent


@pytest.mark.parametrize("status", [480, 503, 400])
def test_call_that_other_service_leaves_alone_goes_to_the_gateway(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: int
) -> None:
    """With the header fields that it copies, added to the caller's own signature."""
    gateway = sipp.play("target-200", port=GATEWAY_PORT)
    received, signed = token(), token()
    clearip.says(status, "No", "X-Fraud-Score: 17", f"Identity: {signed}", "Date: now")

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nIdentity: {received}")

    assert all_succeeded(caller, gateway)
    assert gateway.invite.headers("x-fraud-score") == ["17"]
    assert gateway.invite.headers("identity") == [received, signed]
    assert not gateway.invite.headers("date")


def test_contact_that_repeats_to_is_a_destination_of_other_service(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """And one in ClearIP's domain is a host like any other."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-answered", to=proxy, callee=f"<{first.uri}>")

    assert all_succeeded(caller, first, second)


def test_screened_call_of_other_service_goes_to_its_screening_host(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Or nowhere."""
    screening = sipp.play("target-final", port=SCREENING_PORT)
    nobody, gateway = sipp.play("nobody"), sipp.play("nobody", port=GATEWAY_PORT)
    clearip.redirects_to(f"<sip:{sipp.number}@screening.example.net>", nobody.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, screening)
    assert nobody.is_silent
    assert gateway.is_silent
