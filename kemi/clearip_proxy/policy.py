"""The part of the configuration that calls are decided by, read once when Kamailio starts.

The operator's command validates the configuration and writes `proxy.json`; this module trusts
that file and only gives it types.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from clearip_proxy.dialog_token import DialogKeys
from clearip_proxy.location.locating import Address
from clearip_proxy.location.sending import SendingPolicy
from clearip_proxy.sip.identity import IdentityMode
from clearip_proxy.sources import TrustedSources, trusted_sources
from clearip_proxy.verdict import Verdict

RouteChoice = Literal["relay", "default_route"]
StaleChoice = Literal["continue", "ask_again"]
LargeRequestChoice = Literal["tcp", "udp"]
DIALOG_KEYS = "dialog-keys"
"""The file with the keys that sign dialog tokens, one per line in hexadecimal."""


@dataclass(frozen=True, slots=True)
class ClearIpPolicy:
    """How ClearIP is asked, and what its answers mean."""

    domain: str
    server_name: str
    response_timeout_ms: int
    partition: str | None = None
    on_no_route: RouteChoice = "relay"
    on_unavailable: RouteChoice = "relay"
    sites: tuple[str, ...] = ()
    """SIP URIs of the sites, in order of preference."""
    keepalive_s: int = 30
    ca_file: str = "system"
    """The authorities that the sites' certificates come from, in PEM; `system` for Python's."""
    certificate: str | None = None
    private_key: str | None = None
    """The files of the client certificate; None without one."""
    ip_versions: tuple[int, ...] = (4,)
    """The versions of IP that the proxy can send in."""
    receives_at: Address | None = None
    """A listener that takes a response without TLS; None where there is none."""
    answers: Mapping[int, Verdict] = field(default_factory=dict)
    """Verdicts that the operator has set apart from the table."""
    own_domains: tuple[str, ...] = ()
    """Domains of ClearIP's besides the one it is asked under, in lower case."""
    diversion_hosts: frozenset[str] = frozenset()
    """Hosts that suspicious calls are diverted to, in lower case."""
    to_uri_is_route: bool = False
    """Whether a Contact that equals the To URI is a route all the same."""
    send_source_device: bool = False
    """Whether ClearIP is told the caller's address in P-Source-Device."""

    @property
    def domains(self) -> tuple[str, ...]:
        """Every domain of ClearIP's."""
        return (self.domain, *self.own_domains)


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """How a target set is searched."""

    no_response_timeout_ms: int
    answer_timeout_ms: int
    search_timeout_ms: int
    advance_on: frozenset[int]
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Trunk group or host name of a contact, in lower case, to the SIP URI it stands for."""
    identity_max_age_s: int = 60
    on_stale_identity: StaleChoice = "continue"
    large_request: LargeRequestChoice = "tcp"


@dataclass(frozen=True, slots=True)
class OverloadPolicy:
    """How much is taken from all sources together."""

    max_cps: int | None = None
    memory_percent: int = 80


@dataclass(frozen=True, slots=True)
class DisplayNameRule:
    """A rewriting of the display names that ClearIP returns."""

    pattern: re.Pattern[str]
    replacement: str


@dataclass(frozen=True, slots=True)
class HeaderPolicy:
    """Which header fields of ClearIP's answer go on, and how."""

    copied: tuple[str, ...] = ()
    identity_mode: IdentityMode = "replace"
    display_names: tuple[DisplayNameRule, ...] = ()


@dataclass(frozen=True, slots=True)
class EmergencyPolicy:
    """Calls that never go to ClearIP."""

    numbers: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    """What may stand before an emergency number, such as +1."""
    route: tuple[str, ...] = ()
    service_number: str = ""
    """The number that stands for the emergency service, `urn:service:sos`; empty for none."""


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """What the log holds."""

    mask_numbers: bool = False


@dataclass(frozen=True, slots=True)
class ClusterPolicy:
    """The group of nodes that share what they count."""

    address: str
    port: int
    peers: tuple[str, ...]
    """The addresses of the other nodes."""
    release: str = ""


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """Everything a routing decision depends on, apart from the call itself."""

    clearip: ClearIpPolicy
    search: SearchPolicy
    trusted: TrustedSources
    default_route: tuple[str, ...] = ()
    emergency: EmergencyPolicy = EmergencyPolicy()
    headers: HeaderPolicy = HeaderPolicy()
    own: frozenset[str] = frozenset()
    """`host:port` of every listener, as the host stands in a canonical URI."""
    log: LogPolicy = LogPolicy()
    overload: OverloadPolicy = OverloadPolicy()
    dialog_keys: DialogKeys = field(default_factory=DialogKeys)
    sending: SendingPolicy = field(default_factory=SendingPolicy)
    events: str | None = None
    """The directory for what is told of calls; None: nothing is."""
    event_memory: str | None = None
    """A directory in memory for it; None: the one on the disk is the only one."""
    first_message_s: int = 20
    """How long a connection may be open before it says anything."""
    cluster: ClusterPolicy | None = None
    """None where nothing is shared."""


def load_policy(path: Path) -> RoutingPolicy:
    """Read `proxy.json` and the keys beside it, as the operator's command has written them."""
    keys = path.with_name(DIALOG_KEYS).read_text(encoding="ascii").split()
    return policy_from(json.loads(path.read_text(encoding="utf-8")), map(bytes.fromhex, keys))


def policy_from(values: dict[str, Any], dialog_keys: Iterable[bytes] = ()) -> RoutingPolicy:
    """Give types to the parsed `proxy.json`."""
    search = {**values["targets"], "advance_on": frozenset(values["targets"]["advance_on"])}
    emergency = values["emergency"]
    return RoutingPolicy(
        clearip=_clearip(values["clearip"]),
        search=SearchPolicy(**search),
        trusted=trusted_sources(values["trusted"]),
        default_route=tuple(values["default_route"]),
        emergency=EmergencyPolicy(
            frozenset(emergency["numbers"]),
            tuple(emergency["prefixes"]),
            tuple(emergency["route"]),
            next(iter(emergency["numbers"]), ""),
        ),
        headers=_headers(values["headers"]),
        own=frozenset(values["own"]),
        log=LogPolicy(**values["log"]),
        overload=OverloadPolicy(**values["overload"]),
        dialog_keys=DialogKeys(tuple(dialog_keys)),
        sending=SendingPolicy(**values["sending"]),
        events=values["events"],
        event_memory=values["event_memory"],
        first_message_s=values["first_message_s"],
        cluster=_cluster(values.get("cluster")),
    )


def _clearip(values: dict[str, Any]) -> ClearIpPolicy:
    typed = {
        "sites": tuple(values["sites"]),
        "answers": {int(code): Verdict(name) for code, name in values["answers"].items()},
        "own_domains": tuple(values["own_domains"]),
        "diversion_hosts": frozenset(values["diversion_hosts"]),
        "ip_versions": tuple(values["ip_versions"]),
        "receives_at": values["receives_at"] and Address(**values["receives_at"]),
    }
    return ClearIpPolicy(**{**values, **typed})


def _cluster(values: dict[str, Any] | None) -> ClusterPolicy | None:
    return ClusterPolicy(**{**values, "peers": tuple(values["peers"])}) if values else None


def _headers(values: dict[str, Any]) -> HeaderPolicy:
    rules = tuple(
        DisplayNameRule(re.compile(rule["match"]), rule["replace"])
        for rule in values["display_names"]
    )
    return HeaderPolicy(tuple(values["copy"]), values["identity"], rules)
