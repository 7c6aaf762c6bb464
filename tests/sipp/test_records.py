"""One line in `calls.jsonl` for each call attempt, whatever becomes of it."""

import json
import os
import signal
from typing import Any

import jwt
import psutil
from jsonschema import Draft202012Validator

from inline_proxy.paths import ROOT
from inline_proxy.rendering import EVENT_MEMORY, SPOOL
from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.waiting import wait_until

SCHEMA = json.loads((ROOT / "docs" / "call-record.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)


def result(record: dict[str, Any], *names: str) -> list[Any]:
    """Some members of a record, which must be valid."""
    VALIDATOR.validate(record)
    return [record[name] for name in names]


def shaken(number: str) -> str:
    """An Identity that says who was called, whoever has signed it."""
    claims = {"attest": "A", "dest": {"tn": [number]}, "iat": 1, "orig": {"tn": "1404"}}
    token = jwt.encode({**claims, "origid": "x"}, "k" * 32, headers={"ppt": "shaken"})
    return f"{token};info=<https://c.example/c.pem>;alg=ES256;ppt=shaken"


def observer_of(proxy: Proxy) -> psutil.Process:
    """The observer that runs beside a proxy."""
    children = psutil.Process(proxy.process.pid).children(recursive=True)
    (observer,) = (each for each in children if "observe" in each.cmdline())
    return observer


def test_signed_call_over_a_failing_target_is_recorded_in_full(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """Attempts, claims, times, and who hung up; one line, and only after the end."""
    first, second = sipp.play("target-final"), sipp.play("target-rings-then-200")
    clearip.redirects_to(first.at(q=1.0), second.at(q=0.5), identities=[shaken(number)])

    caller = sipp.play("uac-answered", to=proxy)
    caller.wait_for(180)
    assert proxy.records(number) == []
    second.cue()

    assert all_succeeded(caller, first, second)
    record = proxy.wait_for_record(number)
    assert result(record, "disposition", "end", "status", "answered_by", "contacts") == [
        "signed",
        "hung_up",
        200,
        2,
        2,
    ]
    (query,) = record["clearip"]
    assert (query["status"], query["verdict"]) == (302, "route")
    assert 0 < query["latency_ms"] < record["setup_ms"]
    failed, answered = record["attempts"]
    assert (failed["result"], failed["status"], failed["signed"]) == ("failed", 503, True)
    assert (answered["result"], answered["status"]) == ("answered", 200)
    assert answered["target"] == second.uri
    assert record["ring_ms"] > 0
    assert record["talk_ms"] > 0
    (passport,) = record["passports"]
    assert (passport["ppt"], passport["attest"]) == ("shaken", "A")
    assert passport["dest"] == [number]
    assert record["source_address"] == "127.0.0.1"


def test_blocked_call_is_recorded_with_clearips_reasons(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """Nobody was tried."""
    clearip.says(603, "Network Blocked", 'Reason: SIP;cause=603;text="v=analytics1"')

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    record = proxy.wait_for_record(number)
    assert result(record, "disposition", "end", "status", "phrase", "attempts") == [
        "blocked",
        "refused",
        603,
        "Network Blocked",
        [],
    ]
    assert record["clearip"][0]["reasons"] == ['SIP;cause=603;text="v=analytics1"']


def test_canceled_call_is_recorded_as_canceled(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """The target's attempt was canceled; it has not failed."""
    target = sipp.play("target-rings-until-canceled")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-cancels", to=proxy)

    caller.wait_for(180).cue()
    assert all_succeeded(caller, target)
    record = proxy.wait_for_record(number)
    assert result(record, "disposition", "end", "status") == ["canceled", "canceled", 487]
    assert record["attempts"][0]["result"] == "canceled"


def test_call_cut_off_by_a_stop_is_recorded_as_such(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """The proxy is stopped while the target rings: nothing of the call is lost."""
    proxy = proxy_with(targets={"answer_timeout_ms": 7000})
    target = sipp.play("target-rings-until-canceled")
    clearip.redirects_to(target.at())
    caller = sipp.play("uac-unheard", to=proxy)
    wait_until(lambda: any("rang" in each for each in events(proxy)), "the ringing is told")

    proxy.stop()

    (record,) = proxy.records(number)
    assert result(record, "end", "status", "disposition") == ["cut_off", None, "routed"]
    assert record["attempts"][0]["result"] is None
    proxy.restart()
    assert caller is not None


def events(proxy: Proxy) -> list[str]:
    """What Kamailio has told lately."""
    files = proxy.directory.glob(f"inline-proxy-*/{EVENT_MEMORY}/*.events")
    written = (file.read_text().partition("\0")[0] for file in files)
    return [line for text in written for line in text.splitlines()]


def test_observers_sudden_end_costs_no_call_and_no_record(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """Killed in the middle of a call, it is started again and takes up where it was."""
    proxy = proxy_with(targets={"answer_timeout_ms": 7100})
    target = sipp.play("target-rings-then-200")
    clearip.redirects_to(target.at())
    caller = sipp.play("uac-answered", to=proxy)
    caller.wait_for(180)

    killed = observer_of(proxy)
    for process in [*killed.children(recursive=True), killed]:
        os.kill(process.pid, signal.SIGKILL)
    target.cue()

    assert all_succeeded(caller, target)
    assert proxy.wait_for_record(number)["end"] == "hung_up"
    assert len(proxy.records(number)) == 1


def test_nothing_is_recorded_where_records_are_off(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """No file, no spool, no process."""
    proxy = proxy_with(records={"enabled": False})
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert not (proxy.directory / "calls.jsonl").exists()
    assert not (proxy.directory / SPOOL).exists()
    assert list(proxy.directory.glob(f"inline-proxy-*/{EVENT_MEMORY}")) == []
    children = psutil.Process(proxy.process.pid).children(recursive=True)
    assert [each for each in children if "observe" in each.cmdline()] == []
