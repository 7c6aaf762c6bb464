"""What the log says of a call, how much of it, and what it hides."""

import re

import pytest

from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.control import control_socket
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.test_status import asked
from sipp.waiting import wait_until

MOST_LINES = 6
"""Of a call that is answered by its first target: its decisions, and not its messages."""
TOLD_BY_KAMAILIO = re.compile(r"\b(?:INFO|DEBUG):")


@pytest.fixture
def proxy(proxy_with: ProxyWith) -> Proxy:
    """A proxy of which no other test reads the level."""
    return proxy_with(targets={"answer_timeout_ms": 7300})


def answered_call(sipp: Sipp, clearip: ClearIp, proxy: Proxy) -> None:
    """A call, to its end."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    assert all_succeeded(sipp.play("uac-answered", to=proxy), target)


def level(proxy: Proxy, *wanted: str) -> str:
    """Call `log-level`."""
    return asked(
        "log-level", *wanted, "--runtime-dir", str(control_socket(proxy).parent)
    ).stdout.strip()


def test_call_is_told_by_its_decisions_alone(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """Each line with the Call-ID; nothing per message, at whichever level."""
    answered_call(sipp, clearip, proxy)
    proxy.wait_for_record(number)

    lines = proxy.log_of(number)
    assert any("target 1: " in line for line in lines)
    assert len(lines) <= MOST_LINES, lines
    assert [line for line in proxy.log().splitlines() if TOLD_BY_KAMAILIO.search(line)] == []


def test_level_is_changed_while_calls_go_on(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """No decision is logged at `warning`, and every one again at `notice`."""
    assert level(proxy) == "notice"

    assert level(proxy, "warning") == "warning"
    answered_call(sipp, clearip, proxy)
    proxy.wait_for_record(number)
    silent = proxy.log_of(number)
    assert level(proxy, "notice") == "notice"
    answered_call(sipp, clearip, proxy)

    assert silent == []
    proxy.wait_for_log(number, "target 1: ")


def test_level_of_a_proxy_that_does_not_run_is_an_error() -> None:
    """With what may be the matter."""
    answer = asked("log-level", "--runtime-dir", "/nonexistent")

    assert answer.returncode == 1
    assert "is the proxy running" in answer.stderr


def test_numbers_are_hidden_in_records_as_in_the_log(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """The Call-ID stays, as all else is found by it."""
    proxy = proxy_with(log={"mask_numbers": True})

    answered_call(sipp, clearip, proxy)

    wait_until(proxy.all_records, "there is a record")
    (record,) = proxy.all_records()
    assert record["to"] == f"{number[:-6]}xxxxxx"
    assert number in record["call_id"]
    assert number not in str({**record, "call_id": ""})
