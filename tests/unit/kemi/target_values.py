"""What the tests of the leg to the targets begin with."""

from collections.abc import Callable

from clearip_proxy.decisions import Fork
from clearip_proxy.dialog_token import DialogKeys
from clearip_proxy.ksr_reader import KsrReader
from clearip_proxy.ksr_targets import Outside, TargetLeg
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sources import TrustedSources
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.known_records import KnownRecords

KEYS = DialogKeys((b"a key",))
POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(),
    dialog_keys=KEYS,
)
FORK = Fork("sip:1@192.0.2.1", ResponseContext(search_ends_ms=9_000, tried=1), 700, 6_000)


def no_probe(host: str, port: int) -> bool:
    """A probe that must not be made."""
    raise AssertionError((host, port))


def leg(
    ksr: FakeKsr,
    probe: Callable[[str, int], bool] = no_probe,
    policy: RoutingPolicy = POLICY,
) -> TargetLeg:
    """A leg on a clock that stands still."""
    return TargetLeg(
        ksr, policy, KsrReader(ksr, lambda: Moment(5_000)), Outside(KnownRecords, probe)
    )


def next_hops_of(ksr: FakeKsr) -> list[str]:
    """Where branches were sent."""
    return [call[1] for call in ksr.calls if call[0] == "setdsturi"]
