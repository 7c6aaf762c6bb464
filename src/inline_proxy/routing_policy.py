"""What the routing script reads of the configuration, as `proxy.json` holds it."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from inline_proxy import __version__
from inline_proxy.config.clearip import ClearIp
from inline_proxy.config.cluster import Cluster
from inline_proxy.config.model import ProxyConfig
from inline_proxy.listeners import Listener, cluster_listeners, in_uri

ONE_ADDRESS: Mapping[str, Any] = {"addresses": {}, "ports": {}, "names_udp": False}
"""Of a host that has no choice of addresses to send from."""


class EventPlaces(NamedTuple):
    """The directories in which the routing script tells of calls."""

    spool: Path
    memory: Path
    """In memory, and tried first."""


def policy_values(
    config: ProxyConfig,
    listeners: tuple[Listener, ...],
    events: EventPlaces | None = None,
    sending: Mapping[str, Any] = ONE_ADDRESS,
) -> Mapping[str, Any]:
    """Return what the routing script reads: the policy without what Kamailio itself does.

    `events` are the directories that it tells of calls in, `sending` how it chooses sockets.
    """
    told = events if config.records.enabled else None
    targets = config.targets
    return {
        "clearip": _clearip_values(config.clearip, listeners),
        "targets": {
            "no_response_timeout_ms": targets.no_response_timeout_ms,
            "answer_timeout_ms": targets.answer_timeout_ms,
            "search_timeout_ms": targets.search_timeout_ms,
            "advance_on": sorted(targets.advance_on),
            "aliases": {name.lower(): uri for name, uri in targets.aliases.items()},
            # Without a TCP socket of its own Kamailio would name the TLS one in Via.
            "large_request": targets.large_request if config.listen.tcp is not None else "udp",
            "identity_max_age_s": targets.identity_max_age_s,
            "on_stale_identity": targets.on_stale_identity,
        },
        "trusted": _trusted_values(config, listeners),
        "overload": asdict(config.overload),
        "default_route": list(config.default_route),
        "emergency": {
            "numbers": list(config.emergency.numbers),
            "prefixes": list(config.emergency.prefixes),
            "route": list(config.emergency.route),
        },
        "headers": {
            "copy": list(config.headers.copy),
            "identity": config.headers.identity,
            "display_names": [asdict(rule) for rule in config.headers.display_names],
        },
        "log": {"mask_numbers": config.log.mask_numbers},
        "own": sorted(_own(listeners)),
        "first_message_s": config.listen.first_message_s,
        "sending": sending,
        "events": told and str(told.spool),
        "event_memory": told and str(told.memory),
        "cluster": _cluster_values(config.cluster),
    }


def _cluster_values(cluster: Cluster) -> dict[str, Any] | None:
    for listener in cluster_listeners(cluster):
        return {
            "address": str(listener.address),
            "port": listener.port,
            "peers": list(map(str, cluster.peers)),
            "release": __version__,
        }
    return None


def _clearip_values(clearip: ClearIp, listeners: tuple[Listener, ...]) -> dict[str, Any]:
    tls = clearip.tls
    return {
        "domain": clearip.domain.lower(),
        "server_name": tls.server_name,
        "partition": clearip.partition,
        "response_timeout_ms": clearip.response_timeout_ms,
        "on_no_route": clearip.on_no_route,
        "on_unavailable": clearip.on_unavailable,
        "sites": _site_uris(clearip),
        "keepalive_s": clearip.keepalive_s,
        "answers": {str(code): verdict for code, verdict in clearip.answers.items()},
        "own_domains": [name.lower() for name in clearip.own_domains],
        "diversion_hosts": [in_uri(host).lower() for host in clearip.diversion_hosts],
        "to_uri_is_route": clearip.to_uri_is_route,
        "send_source_device": clearip.send_source_device,
        "ca_file": str(tls.ca_file),
        "certificate": tls.certificate and str(tls.certificate),
        "private_key": tls.private_key and str(tls.private_key),
        "ip_versions": sorted({each.address.version for each in listeners}),
        "receives_at": _receives_at(listeners),
    }


def _site_uris(clearip: ClearIp) -> tuple[str, ...]:
    """Return the SIP URIs of the ClearIP sites, in order of preference."""
    return tuple(f"sip:{in_uri(site.host)}:{site.port};transport=tls" for site in clearip.sites)


def _receives_at(listeners: tuple[Listener, ...]) -> dict[str, str | int] | None:
    """Return a listener at which the proxy can send itself a response, without TLS."""
    for transport in ("udp", "tcp"):
        for each in listeners:
            if each.transport == transport and not each.is_for_outgoing:
                return {"transport": transport, "host": str(each.address), "port": each.port}
    return None


def _trusted_values(config: ProxyConfig, listeners: tuple[Listener, ...]) -> list[dict[str, Any]]:
    """List the trusted sources; the host itself is one, or nobody could ask it how it is."""
    configured = [asdict(source) | {"network": str(source.network)} for source in config.trusted]
    own = {
        str(listener.address): None
        for listener in listeners
        if not any(listener.address in source.network for source in config.trusted)
    }
    return configured + [{"network": host} for host in own]


def _own(listeners: tuple[Listener, ...]) -> set[str]:
    advertised = {
        f"{listener.advertised.lower()}:{listener.port}"
        for listener in listeners
        if listener.advertised is not None
    }
    return advertised | {listener.host_port for listener in listeners}
