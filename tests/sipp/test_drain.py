"""`inline-proxy drain`: calls go elsewhere, running ones end in peace."""

import subprocess
import threading

import pytest

from sipp.clearip import ClearIp
from sipp.proxy import Proxy
from sipp.raw_request import ask, request
from sipp.role import all_succeeded
from sipp.running import COMMAND, ENVIRONMENT
from sipp.sipp import Sipp
from sipp.waiting import wait_until


def told(proxy: Proxy, *words: str) -> str:
    """What a command of the operator's says about a proxy, be it well or not."""
    (runtime,) = proxy.directory.glob("inline-proxy-*")
    return subprocess.run(
        [*COMMAND, *words, "--runtime-dir", str(runtime)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def options(proxy: Proxy, number: str) -> int:
    """The status of the answer to OPTIONS."""
    place = proxy.place("udp")
    return ask(place, request("OPTIONS", number, place)).status


@pytest.mark.parametrize("attempts_only", [False, True], ids=["all-calls", "attempts-only"])
def test_drained_proxy_ends_its_calls_in_peace_and_comes_back(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str, *, attempts_only: bool
) -> None:
    """OPTIONS are answered 503; the command returns when the last call is over."""
    target = sipp.play("target-hung-up-on")
    clearip.redirects_to(target.at())
    caller = sipp.play("uac-hangs-up-on-cue", to=fresh_proxy)
    target.wait_for("ACK")
    wait_until(lambda: "1 in conversation" in told(fresh_proxy, "status"), "the call is counted")
    said: list[str] = []
    words = ("drain", "--wait", *(["--attempts-only"] if attempts_only else []))
    waiting = threading.Thread(target=lambda: said.append(told(fresh_proxy, *words)))

    waiting.start()
    wait_until(lambda: options(fresh_proxy, number) == 503, "OPTIONS are answered 503")
    assert "draining" in told(fresh_proxy, "status")
    if not attempts_only:
        assert said == []
        caller.cue()
    waiting.join()

    assert "drained: " in said[0]
    if attempts_only:
        caller.cue()
    assert all_succeeded(caller, target)
    told(fresh_proxy, "undrain")
    assert options(fresh_proxy, number) == 200


def test_call_that_comes_to_a_drained_proxy_is_taken(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """A switch that does not ask, or has nobody else, loses nothing."""
    told(fresh_proxy, "drain")
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=fresh_proxy)

    assert all_succeeded(caller, target)
