"""What the tests of the leg to the targets begin with."""

from collections.abc import Callable

from clearip_proxy.decisions import Decision, Fork
from clearip_proxy.dialog_token import DialogKeys
from clearip_proxy.ksr.events import CallEvents
from clearip_proxy.ksr.knowledge import Outside
from clearip_proxy.ksr.look_up import LookUps
from clearip_proxy.ksr.reader import KsrReader
from clearip_proxy.ksr.targets import TargetLeg
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


def no_probe(host: str, port: int, time_left_s: float) -> bool:
    """A probe that must not be made."""
    raise AssertionError((host, port, time_left_s))


def leg(ksr: FakeKsr, policy: RoutingPolicy = POLICY) -> TargetLeg:
    """A leg on a clock that stands still."""
    return TargetLeg(ksr, policy, KsrReader(ksr, lambda: Moment(5_000)), CallEvents(ksr, policy))


def look_up(
    ksr: FakeKsr,
    probe: Callable[[str, int, float], bool] = no_probe,
    policy: RoutingPolicy = POLICY,
    now_ms: int = 5_000,
) -> None:
    """Let a worker carry out the task that was given last."""
    LookUps(
        ksr,
        policy,
        KsrReader(ksr, lambda: Moment(now_ms)),
        Outside(lambda _: KnownRecords(), probe),
    ).run()


def fork_after_look_up(
    ksr: FakeKsr,
    fork: Fork,
    probe: Callable[[str, int, float], bool] = no_probe,
    policy: RoutingPolicy = POLICY,
) -> Decision | None:
    """Try a target that a worker has to ask about first."""
    assert leg(ksr, policy).fork(fork) is None
    look_up(ksr, probe, policy)
    ksr.calls.clear()
    return leg(ksr, policy).fork(fork._replace(was_asked=True))


def next_hops_of(ksr: FakeKsr) -> list[str]:
    """Where branches were sent."""
    return [call[1] for call in ksr.calls if call[0] == "setdsturi"]
