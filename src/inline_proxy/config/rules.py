"""What no key can be judged for alone: rules between keys."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from inline_proxy.config.admin import Socket
from inline_proxy.config.clearip import DEFAULT_ROUTE
from inline_proxy.config.faults import Fault, Keys, shown
from inline_proxy.config.headers import unusable
from inline_proxy.config.listen import ALL, Listen
from inline_proxy.config.model import ProxyConfig
from inline_proxy.config.pem_files import certified_key, public_half

_LONGEST_NAME: Final = 253


class Rule(NamedTuple):
    """A rule between `keys`; it is left out when one of them is faulty by itself."""

    sentence: str
    keys: tuple[Keys, ...]
    check: Callable[[ProxyConfig], Iterable[Fault]]


def broken(rules: Iterable[Rule], config: ProxyConfig, known: list[Fault]) -> list[Fault]:
    """What the rules say against the configuration, whose `known` faulty keys have defaults."""
    faulty = [fault.keys for fault in known]
    return [
        fault
        for rule in rules
        if not any(_touch(one, other) for one in rule.keys for other in faulty)
        for fault in rule.check(config)
    ]


def _touch(one: Keys, other: Keys) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _some_listener(config: ProxyConfig) -> Iterator[Fault]:
    listen = config.listen
    if listen.udp is None and listen.tcp is None and listen.tls is None:
        yield Fault(
            ("listen",), "has no listener (found null for udp, tcp and tls); give one a port"
        )


def _tcp_and_tls_apart(config: ProxyConfig) -> Iterator[Fault]:
    listen = config.listen
    if listen.tls is not None and listen.tls == listen.tcp:
        yield Fault(
            ("listen", "tls"),
            f"is the port of listen.tcp (found {listen.tls}); allowed: another port, as TLS "
            "runs over TCP",
        )


def _floating_addresses_named(config: ProxyConfig) -> Iterator[Fault]:
    listen = config.listen
    named = listen.addresses if isinstance(listen.addresses, tuple) else ()
    if listen.floating and (not named or any(isinstance(each, str) for each in named)):
        yield Fault(
            ("listen", "floating"),
            "stands without addresses that can move (found true); allowed: false, or IP addresses "
            "alone in listen.addresses",
        )


def _cluster_port_apart(config: ProxyConfig) -> Iterator[Fault]:
    cluster = config.cluster
    if cluster.port is None:
        return
    if cluster.address is None or not cluster.peers:
        missing = "address" if cluster.address is None else "peers"
        yield Fault(
            ("cluster", "port"),
            f"stands without cluster.{missing} (found {cluster.port}); allowed: null, or a port "
            "with this node's own address and those of the other nodes",
        )
    if cluster.port == config.listen.udp:
        yield Fault(
            ("cluster", "port"),
            f"is the port of listen.udp (found {cluster.port}); allowed: another port, which "
            "only the other nodes reach",
        )


def _peers_are_others(config: ProxyConfig) -> Iterator[Fault]:
    own = config.cluster.address
    for index, peer in enumerate(config.cluster.peers):
        if own is not None and (peer == own or peer.version != own.version):
            wrong = "is this node itself" if peer == own else "is of another family"
            yield Fault(
                ("cluster", "peers", index),
                f"{wrong} (found {peer}); allowed: own addresses of other nodes, of the family of "
                f"cluster.address {own}",
            )


def _admin_apart(config: ProxyConfig) -> Iterator[Fault]:
    admin = config.admin.listen
    if admin is None or not _may_share(config.listen, admin):
        return
    for name, port in (("listen.tcp", config.listen.tcp), ("listen.tls", config.listen.tls)):
        if port == admin.port:
            yield Fault(
                ("admin", "listen"),
                f"is the port of {name} (found {port}); allowed: another port",
            )


def _admin_asks_for_a_password(config: ProxyConfig) -> Iterator[Fault]:
    admin = config.admin
    if not admin.is_local and admin.password_file is None:
        yield Fault(
            ("admin", "listen"),
            f"is reached by other hosts and asks nobody for a password (found {admin.listen}); "
            "allowed: a loopback address such as 127.0.0.1:8080, or an admin.password_file, "
            "which `inline-proxy admin-password NAME FILE` makes",
        )


def _may_share(listen: Listen, admin: Socket) -> bool:
    """Whether a SIP listener may come to stand on the address of the HTTP server."""
    if listen.addresses == ALL or admin.address.is_unspecified:
        return True
    return any(isinstance(one, str) or one == admin.address for one in listen.addresses)


def _default_route_given(name: str) -> Rule:
    def check(config: ProxyConfig) -> Iterator[Fault]:
        if getattr(config.clearip, name) == DEFAULT_ROUTE and not config.default_route:
            yield Fault(
                ("clearip", name),
                "is default_route, but default_route is empty (found []); give default_route a "
                f"SIP URI, or write {name}: relay",
            )

    return Rule(
        f"`clearip.{name}: default_route` asks for at least one URI in `default_route`.",
        (("clearip", name), ("default_route",)),
        check,
    )


def _silence_ends_before_the_search(config: ProxyConfig) -> Iterator[Fault]:
    silence, search = config.targets.no_response_timeout_ms, config.targets.search_timeout_ms
    if silence > search:
        yield Fault(
            ("targets", "no_response_timeout_ms"),
            f"is longer than targets.search_timeout_ms (found {silence} and {search}); allowed: "
            "at most that, or no second target is ever tried",
        )


def _request_uri_host_fits(config: ProxyConfig) -> Iterator[Fault]:
    domain, partition = config.clearip.domain, config.clearip.partition
    length = 0 if partition is None else len(f"{partition}.{domain}")
    if length > _LONGEST_NAME:
        yield Fault(
            ("clearip", "partition"),
            f"is too long before clearip.domain (found {length} characters with it and a dot); "
            f"allowed: {_LONGEST_NAME} characters together",
        )


def _references_lead_to_groups(config: ProxyConfig) -> Iterator[Fault]:
    for index, rewriting in enumerate(config.headers.display_names):
        reason = unusable(rewriting.match, rewriting.replace)
        if reason:
            yield Fault(
                ("headers", "display_names", index, "replace"),
                f"does not fit match: {reason} (found {shown(rewriting.replace)})",
            )


def _pair(part: Keys, certificate: str, private_key: str) -> Rule:
    def check(config: ProxyConfig) -> Iterator[Fault]:
        value: object = config
        for name in part:
            value = getattr(value, str(name))
        files: tuple[Path | None, Path | None] = (
            getattr(value, certificate),
            getattr(value, private_key),
        )
        yield from _pair_faults(part, (certificate, private_key), files)

    path = ".".join(map(str, part))
    return Rule(
        f"`{path}.{certificate}` and `{path}.{private_key}` are both given, or neither; the key "
        "belongs to the certificate.",
        ((*part, certificate), (*part, private_key)),
        check,
    )


def _pair_faults(
    part: Keys, names: tuple[str, str], files: tuple[Path | None, Path | None]
) -> Iterator[Fault]:
    certificate, private_key = files
    if certificate is not None and private_key is not None:
        if certified_key(certificate) != public_half(private_key):
            yield Fault((*part, names[1]), f"does not belong to {names[0]}; give the key of that")
        return
    for (name, file), other in zip(zip(names, files, strict=True), reversed(names), strict=True):
        if file is not None:
            yield Fault((*part, name), f"stands without {other}; allowed: both, or neither")


RULES: Final = (
    Rule(
        "At least one of `listen.udp`, `listen.tcp` and `listen.tls` has a port.",
        (("listen",),),
        _some_listener,
    ),
    Rule(
        "`listen.tcp` and `listen.tls` have different ports, as TLS runs over TCP.",
        (("listen", "tcp"), ("listen", "tls")),
        _tcp_and_tls_apart,
    ),
    Rule(
        "`listen.floating` goes with IP addresses in `listen.addresses`.",
        (("listen", "addresses"), ("listen", "floating")),
        _floating_addresses_named,
    ),
    Rule(
        "`cluster.port` goes with `cluster.address` and `cluster.peers`, and is not `listen.udp`.",
        (("cluster",), ("listen", "udp")),
        _cluster_port_apart,
    ),
    Rule(
        "`cluster.peers` are other nodes than `cluster.address`, of the same family of addresses.",
        (("cluster", "address"), ("cluster", "peers")),
        _peers_are_others,
    ),
    Rule(
        "`admin.listen` does not take the port of `listen.tcp` or `listen.tls` on an address "
        "that they may have too.",
        (("listen",), ("admin", "listen")),
        _admin_apart,
    ),
    Rule(
        "`admin.listen` on another than a loopback address goes with `admin.password_file`.",
        (("admin", "listen"), ("admin", "password_file")),
        _admin_asks_for_a_password,
    ),
    _default_route_given("on_no_route"),
    _default_route_given("on_unavailable"),
    Rule(
        "`targets.no_response_timeout_ms` is at most `targets.search_timeout_ms`.",
        (("targets", "no_response_timeout_ms"), ("targets", "search_timeout_ms")),
        _silence_ends_before_the_search,
    ),
    Rule(
        "`clearip.partition`, a dot and `clearip.domain` have at most 253 characters.",
        (("clearip", "domain"), ("clearip", "partition")),
        _request_uri_host_fits,
    ),
    Rule(
        "`headers.display_names[].replace` refers only to groups that its `match` has.",
        (("headers", "display_names"),),
        _references_lead_to_groups,
    ),
    _pair(("listen",), "tls_certificate", "tls_private_key"),
    _pair(("admin",), "tls_certificate", "tls_private_key"),
    _pair(("clearip", "tls"), "certificate", "private_key"),
)
