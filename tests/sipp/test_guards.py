"""What a caller meets when the routing script itself fails, in each of its callbacks.

Each test breaks one function of a rendered script, as a mistake would. Without the guard round
the callbacks (`guard.py`) Kamailio would log the exception, and the caller would hear nothing more.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest

from inline_proxy.kamailio_process import command
from inline_proxy.lab.certificates import CertificateAuthority
from inline_proxy.listeners import Listener
from inline_proxy.sip_probe import answers_options
from sipp.clearip import HOST, ClearIp, Site
from sipp.proxy import Proxy, base_config
from sipp.role import all_succeeded
from sipp.running import inline_proxy
from sipp.sipp import Sipp
from sipp.waiting import wait_until

PORT = 5890
LISTENER = Listener("udp", ip_address(HOST), PORT)
PROBE_S = 0.5
MISTAKE = "this function has a mistake"
Broken = Callable[[str, str], Proxy]


@pytest.fixture
def broken(
    clearip_sites: tuple[Site, ...],
    authority: CertificateAuthority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Broken]:
    """Start a proxy one of whose functions raises; the module is that where it stands."""
    assert clearip_sites
    directory = tmp_path_factory.mktemp("g")  # a control socket's path must be short
    started: list[Proxy] = []

    def start(module: str, function: str) -> Proxy:
        ca_file = directory / "authority.pem"
        ca_file.write_bytes(authority.pem)
        config = directory / "config.yaml"
        config.write_text(json.dumps(base_config(PORT, ca_file)))
        inline_proxy("render", str(config), "-o", str(directory))
        make_mistake(directory / "clearip_proxy" / f"{module}.py", function)
        with (directory / "log").open("wb") as log:
            kamailio = subprocess.Popen(command(directory), stdout=log, stderr=log)
        started.append(Proxy(PORT, directory, kamailio))
        wait_until(partial(answers_options, LISTENER, PROBE_S), "the proxy answers")
        return started[-1]

    yield start
    for each in started:
        each.stop()
        sys.stdout.write(each.log())  # pytest shows it when the test has failed


def make_mistake(module: Path, function: str) -> None:
    """Let a function, or a method, raise whatever it is given."""
    mistake = f"def mistake(*_, **__):\n    raise RuntimeError({MISTAKE!r})\n\n\n"
    module.write_text(f"{module.read_text()}\n\n{mistake}{function} = mistake\n")


def assert_it_is_told(proxy: Proxy, number: str) -> None:
    """The log names the call and the mistake, on one line."""
    proxy.wait_for_log(number, "internal error: ")
    faults = [line for line in proxy.log_of(number) if "internal error: " in line]
    assert [MISTAKE in line for line in faults] == [True]


def test_request_that_meets_a_mistake_is_answered_500(
    broken: Broken, clearip: ClearIp, sipp: Sipp
) -> None:
    """And ClearIP is not asked."""
    proxy = broken("ksr/plain_calls", "PlainCalls.take_request")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert (caller.final.status, caller.final.reason_phrase) == (500, "Server Internal Error")
    assert clearip.received() == []
    assert_it_is_told(proxy, sipp.number)


def test_answer_of_clearip_that_meets_a_mistake_is_a_500(
    broken: Broken, clearip: ClearIp, sipp: Sipp
) -> None:
    """And not the 302, which the caller must never see."""
    proxy = broken("ksr/plain_answers", "PlainAnswers.take")
    target = sipp.play("nobody")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 500]
    assert target.is_silent
    assert_it_is_told(proxy, sipp.number)


def test_failure_of_a_target_that_meets_a_mistake_is_a_500(
    broken: Broken, clearip: ClearIp, sipp: Sipp
) -> None:
    """And nobody else is called."""
    proxy = broken("search", "after_target")
    first, second = sipp.play("target-final"), sipp.play("nobody")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, first)
    assert caller.statuses == [100, 500]
    assert second.is_silent
    assert_it_is_told(proxy, sipp.number)
