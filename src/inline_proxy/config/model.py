"""The whole configuration as one frozen value."""

from dataclasses import dataclass, field

from inline_proxy.config.admin import Admin
from inline_proxy.config.clearip import ClearIp
from inline_proxy.config.cluster import Cluster
from inline_proxy.config.dialog import Dialog
from inline_proxy.config.emergency import Emergency, routes
from inline_proxy.config.headers import Headers
from inline_proxy.config.key import key
from inline_proxy.config.listen import Listen
from inline_proxy.config.log import Log
from inline_proxy.config.overload import Overload
from inline_proxy.config.packet_filter import PacketFilter
from inline_proxy.config.records import Records
from inline_proxy.config.targets import Targets
from inline_proxy.config.tracing import Tracing
from inline_proxy.config.trusted import PRIVATE_NETWORKS, TRUSTED, TrustedSource
from inline_proxy.config.values import Part


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """The configuration of one proxy; `ProxyConfig()` is that of an empty file."""

    listen: Listen = field(
        default=Listen(), metadata=key(Part(Listen), "Where the proxy listens for SIP.")
    )
    clearip: ClearIp = field(
        default=ClearIp(),
        metadata=key(Part(ClearIp), "How ClearIP is reached, and what its answers mean."),
    )
    trusted: tuple[TrustedSource, ...] = field(
        default=PRIVATE_NETWORKS,
        metadata=key(
            TRUSTED,
            "Who may send calls: networks, or mappings that say more of a network. Of those that "
            "hold an address, the smallest counts.",
            example="[10.0.0.0/8, {network: 192.0.2.10/32, name: switch-a, partition: inbound}]",
        ),
    )
    overload: Overload = field(
        default=Overload(),
        metadata=key(Part(Overload), "How much is taken before new calls are refused."),
    )
    dialog: Dialog = field(
        default=Dialog(),
        metadata=key(Part(Dialog), "How requests inside a dialog prove that they belong to it."),
    )
    default_route: tuple[str, ...] = field(
        default=(),
        metadata=key(
            routes(),
            "Where calls go for which ClearIP chose no route, tried in order. A URI without user "
            "part is called with the number that was dialled.",
            example='["sip:192.0.2.30:5060", "sip:gateway.example.net;transport=tls"]',
        ),
    )
    emergency: Emergency = field(
        default=Emergency(),
        metadata=key(Part(Emergency), "Calls that nothing may delay or refuse."),
    )
    targets: Targets = field(
        default_factory=Targets,
        metadata=key(
            Part(Targets),
            "How long a target is waited for, and what moves the search on to the next one.",
        ),
    )
    headers: Headers = field(
        default=Headers(),
        metadata=key(Part(Headers), "Which headers of ClearIP's response go to the target."),
    )
    records: Records = field(
        default=Records(), metadata=key(Part(Records), "What is kept of each call attempt.")
    )
    admin: Admin = field(
        default=Admin(), metadata=key(Part(Admin), "Where metrics and status are served.")
    )
    tracing: Tracing = field(
        default=Tracing(), metadata=key(Part(Tracing), "How calls can be watched as they pass.")
    )
    cluster: Cluster = field(
        default=Cluster(),
        metadata=key(Part(Cluster), "The group that the proxy is a node of; off without peers."),
    )
    log: Log = field(default=Log(), metadata=key(Part(Log), "What logs and call records hold."))
    packet_filter: PacketFilter = field(
        default=PacketFilter(),
        metadata=key(
            Part(PacketFilter),
            "What the packet filter lets in besides `trusted` and the addresses in "
            "`default_route`, `emergency.route` and `targets.aliases`.",
        ),
    )
