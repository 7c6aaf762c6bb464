"""A leg to ClearIP, and what its tests begin with."""

from clearip_proxy.decisions import Decision, QueryClearIp, Reply
from clearip_proxy.ksr.clearip import ClearIpLeg
from clearip_proxy.ksr.events import CallEvents
from clearip_proxy.ksr.reader import KsrReader
from clearip_proxy.moment import Moment
from clearip_proxy.policy import ClearIpPolicy, RoutingPolicy, SearchPolicy
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sip.message import parse_response
from clearip_proxy.sites.site_lines import Line
from clearip_proxy.sources import TrustedSources
from unit.kemi.connected_ksr import CONNECTION, SITE
from unit.kemi.fake_ksr import FakeKsr

POLICY = RoutingPolicy(
    clearip=ClearIpPolicy("sip.clearip.com", "sip.clearip.com", 2_000, sites=(SITE,)),
    search=SearchPolicy(4_000, 60_000, 120_000, frozenset({503})),
    trusted=TrustedSources(),
)
QUERY = QueryClearIp(ResponseContext(clearip_uri="sip:1@sip.clearip.com"))
ASKED = ResponseContext(asked=(SITE,), connection=CONNECTION)
OTHER = Line("sip:192.0.2.20:5061;transport=tls", "sip:192.0.2.20:5061;transport=tls", 8)
INVITE = "INVITE sip:1@proxy SIP/2.0\r\n\r\n"
ANSWER = parse_response("SIP/2.0 404 Not Found\r\n\r\n")


class Clock:
    """A clock that goes on by a step each time it is read."""

    def __init__(self, start_ms: int = 5_000, step_ms: int = 0) -> None:
        self.ms, self.step_ms = start_ms, step_ms

    def __call__(self) -> Moment:
        """The time now."""
        self.ms += self.step_ms
        return Moment(self.ms)


def leg(ksr: FakeKsr, clock: Clock | None = None, policy: RoutingPolicy = POLICY) -> ClearIpLeg:
    """A leg, on a clock that stands still unless it is given another."""
    return ClearIpLeg(ksr, policy, KsrReader(ksr, clock or Clock()), CallEvents(ksr, policy))


def is_unavailable(step: Decision | None) -> bool:
    """Tell the proxy's own 503."""
    return isinstance(step, Reply) and step.status == 503


def stored(ksr: FakeKsr) -> ResponseContext:
    """What the transaction remembers."""
    return ResponseContext.from_text(ksr.stored["response_context"])
