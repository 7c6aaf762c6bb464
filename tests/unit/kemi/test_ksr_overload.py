"""Calls above the ceiling, refused before they cost anything."""

from dataclasses import replace

import pytest

from clearip_proxy.ksr.overload import TOO_MANY_FOR_ALL, OverloadGate, OverloadWatch
from clearip_proxy.overload import FULL_QUEUE_BYTES
from clearip_proxy.policy import ClearIpPolicy, OverloadPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers
from clearip_proxy.sources import TrustedSources
from unit.kemi.fake_ksr import FakeKsr

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(),
    own=frozenset({"192.0.2.1:5060"}),
)
SWITCH, OTHER = "192.0.2.10", "192.0.2.20"
TOTAL_BYTES = 1_000


class Lab:
    """A proxy that is looked at ten times a second."""

    def __init__(self, **policy: int) -> None:
        self.ksr = FakeKsr()
        self.numbers = SharedNumbers()
        self.queued_bytes = 0
        changed = replace(POLICY, overload=OverloadPolicy(**policy))
        self.gate = OverloadGate(self.ksr, changed, self.numbers)
        self._watch = OverloadWatch(self.ksr, changed, self.numbers, lambda: self.queued_bytes)
        self._now_ms = 0
        self.memory(used_percent=10)

    def memory(self, used_percent: int) -> None:
        """Let so much of the shared memory be in use."""
        free = TOTAL_BYTES * (100 - used_percent) // 100
        self.ksr.variables |= {"$stat(total_size)": TOTAL_BYTES, "$stat(free_size)": free}

    def looks(self, times: int) -> None:
        """Look so often."""
        for _ in range(times):
            self._now_ms += 100
            self._watch.tick(self._now_ms)

    def refused(self, address: str, calls: int, now_ms: int = 5_000) -> int:
        """Let calls come; return how many are refused."""
        answers = [self.gate.refusal(address, now_ms) for _ in range(calls)]
        return answers.count(TOO_MANY_FOR_ALL)


def test_gate_is_open_while_there_is_room() -> None:
    """Nothing is counted by source then."""
    lab = Lab()
    lab.looks(20)

    assert not lab.gate.is_ajar


def test_configured_ceiling_holds_from_the_first_look_on() -> None:
    """Each address has its share of it."""
    lab = Lab(max_cps=10)
    lab.looks(1)

    assert lab.gate.is_ajar
    assert lab.refused(SWITCH, 100) == 90
    assert lab.refused(OTHER, 5) == 0


def test_full_queue_lowers_the_ceiling_and_an_empty_one_lifts_it() -> None:
    """Both are said once."""
    lab = Lab()
    lab.queued_bytes = FULL_QUEUE_BYTES
    lab.looks(20)
    assert lab.refused(SWITCH, 100)
    lab.queued_bytes = 0
    lab.looks(100)

    assert not lab.gate.is_ajar
    said = [line.partition(":")[0] for line in lab.ksr.logged]
    assert [line for line in said if line.endswith("overloaded")] == [
        "overloaded",
        "no longer overloaded",
    ]


def test_full_memory_is_a_ceiling_of_one_for_each_source() -> None:
    """Until it is free again."""
    lab = Lab(memory_percent=50)
    lab.memory(used_percent=50)
    lab.looks(1)

    assert lab.refused(SWITCH, 3) == 2
    assert lab.refused(OTHER, 3) == 2


def test_refusals_are_counted_and_told_sparingly() -> None:
    """The first, tenth and hundredth of a second."""
    lab = Lab(max_cps=1)
    lab.looks(1)

    assert lab.refused(SWITCH, 101) == 100
    assert lab.ksr.tables["counters"]["calls_shed"] == 100
    assert len(lab.ksr.logged) == 3


@pytest.mark.parametrize("header", ["Retry-After", "Reason"])
def test_refusal_says_when_to_come_again_and_why(header: str) -> None:
    """RFC 3261 §21.5.4, RFC 3326."""
    assert header in dict(TOO_MANY_FOR_ALL.headers)
