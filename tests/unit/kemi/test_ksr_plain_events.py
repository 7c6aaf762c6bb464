"""What is told of plain calls, to whoever keeps records and in the log: no more and no less."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from clearip_proxy.callbacks import Callbacks
from clearip_proxy.ksr.events import CALL_VARIABLE
from clearip_proxy.moment import Moment
from clearip_proxy.policy import LogPolicy
from inline_proxy.observation.spool_reader import SpoolReader
from unit.kemi.answered_call import RESPONSE, RelayingKsr, policy
from unit.kemi.connected_ksr import connected
from unit.kemi.test_ksr_plain_calls import CALL, GENERAL, without_events
from unit.kemi.test_plain_requests import BYE, INVITE, TOKEN
from unit.observation.told import told_in

QUOTED = RESPONSE.replace(";alg=ES256", ';alg=ES256;ppt="shaken"')


def told(directory: Path, *, plain: bool) -> list[dict[str, Any]]:
    """Take a call from INVITE to BYE, in either way; return its events but for times and id."""
    ksr = connected(RelayingKsr(undecodable=frozenset() if plain else GENERAL))
    ksr.proxy = Callbacks(ksr, policy(directory), now=Moment)
    ksr.variables = dict(CALL)
    assert ksr.proxy.ksr_request_route(None) == 1
    ksr.variables |= {"$rs": 302, "$T_rpl($mb)": QUOTED}
    assert ksr.proxy.ksr_failure_clearip(None) == 1
    for status in (100, 180, 200):
        ksr.variables["$rs"] = status
        assert ksr.proxy.ksr_reply_target(None) == 1
    ksr.headers = {"Route": [f"<sip:127.0.0.1;lr=on;dialog={TOKEN}>"]}
    about = {"$rm": "BYE", "$tt": "called", "$ft": "18-1"}
    ksr.variables |= {**about, "$mb": BYE, "$fu": "sip:+14045550150@127.0.0.1:6100"}
    assert ksr.proxy.ksr_request_route(None) == 1
    events = told_in(SpoolReader([directory]))
    calls = {event["call"] for event in events if event["kind"] != "hung_up"}
    assert len(calls) == 1
    return [{**event, "at": 0, "clock": 0, "call": ""} for event in events]


def test_events_are_the_general_ones(tmp_path: Path) -> None:
    """Whoever keeps the records cannot tell which way a call has gone."""
    short, general = (told(tmp_path / str(plain), plain=plain) for plain in (True, False))

    assert short == general
    assert [event["kind"] for event in short] == [
        *("begun", "asked", "clearip", "attempted", "rang", "answered", "hung_up"),
    ]


def test_response_to_a_call_of_another_policy_is_told_to_nobody(tmp_path: Path) -> None:
    """Records may have been switched off while it rang."""
    ksr = connected(RelayingKsr(variables=dict(CALL)))
    ksr.proxy = Callbacks(ksr, without_events(tmp_path), now=Moment)
    ksr.variables["$rs"] = 180
    ksr.stored[CALL_VARIABLE] = "c1"

    assert ksr.proxy.ksr_reply_target(None) == 1
    assert ksr.logged == []


def test_numbers_are_masked_in_the_log_all_the_same(tmp_path: Path) -> None:
    """What the short way says goes through the mask as well."""
    ksr = connected(RelayingKsr(variables=dict(CALL)))
    masking = replace(without_events(tmp_path), log=LogPolicy(mask_numbers=True))
    ksr.proxy = Callbacks(ksr, masking, now=Moment)
    assert ksr.proxy.ksr_request_route(None) == 1
    ksr.variables |= {"$rs": 302, "$T_rpl($mb)": RESPONSE}

    assert ksr.proxy.ksr_failure_clearip(None) == 1
    assert "target 1: sip:+14045xxxxxx@192.0.2.1:7002" in ksr.logged[-1]


def test_what_looks_like_a_variable_stays_a_text(tmp_path: Path) -> None:
    """A Call-ID may hold what Kamailio would put a value in place of."""
    call_id = "$var(text)$ru@h"
    ksr = connected(RelayingKsr(variables={**CALL, "$ci": call_id}))
    ksr.variables["$mb"] = INVITE.replace("1-18@h", call_id)
    ksr.variables["$ml"] = len(str(ksr.variables["$mb"]))
    ksr.proxy = Callbacks(ksr, without_events(tmp_path), now=Moment)
    assert ksr.proxy.ksr_request_route(None) == 1
    ksr.variables |= {"$rs": 302, "$T_rpl($mb)": RESPONSE}

    assert ksr.proxy.ksr_failure_clearip(None) == 1
    assert ksr.logged[-1].startswith("$var(text)$ru@h: ClearIP answered 302")
