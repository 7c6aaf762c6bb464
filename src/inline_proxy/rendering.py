"""From the validated configuration to the files that Kamailio reads.

Everything is worked out here; the templates only print. The result is complete in itself: the
routing script is copied beside its policy, so a directory is one version of the whole.
"""

import json
import math
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from inline_proxy import __version__, paths
from inline_proxy.certificates import self_signed, write_atomically
from inline_proxy.config.model import ProxyConfig
from inline_proxy.kamailio_version import KamailioVersion
from inline_proxy.listeners import Listener, in_uri

TEMPLATES = ("kamailio.cfg", "dispatcher.list", "tls.cfg")
STATIC_FILES = ("modules.cfg", "modparams.cfg")
CERTIFICATE_FILE = "proxy-certificate.pem"
PRIVATE_KEY_FILE = "proxy-private-key.pem"
RPC_SOCKET = "rpc.sock"
UDP_WORKERS = 4
ASYNC_WORKERS = 8
LONGEST_CLEARIP_QUERY_S = 30
"""What the transaction of an INVITE may last besides the search."""
SYSTEM_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat
)
PRIVATE_FILE = 0o600


class CertificateFiles(NamedTuple):
    """Where the proxy's own certificate and its key lie."""

    certificate: Path
    private_key: Path


class NoSystemAuthorities(RuntimeError):
    """The host has no bundle of certificate authorities where one is expected."""


def render(
    config: ProxyConfig,
    directory: Path,
    listeners: tuple[Listener, ...],
    version: KamailioVersion,
    own_certificate: CertificateFiles,
) -> None:
    """Write every file that Kamailio needs into the directory, each in one step.

    Raises `NoSystemAuthorities` before anything is written, and `OSError`.
    """
    directory = directory.resolve()
    files = _rendered_files(config, directory, listeners, version, own_certificate)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        target = directory / name
        target.parent.mkdir(exist_ok=True)
        write_atomically(target, text.encode(), PRIVATE_FILE)


def _rendered_files(
    config: ProxyConfig,
    directory: Path,
    listeners: tuple[Listener, ...],
    version: KamailioVersion,
    own_certificate: CertificateFiles,
) -> dict[str, str]:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(paths.TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - configuration files, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    values = template_values(config, directory, listeners, version, own_certificate)
    rendered = {name: environment.get_template(f"{name}.j2").render(values) for name in TEMPLATES}
    static = {name: (paths.KAMAILIO / name).read_text() for name in STATIC_FILES}
    policy = json.dumps(policy_values(config, listeners), indent=1) + "\n"
    return {**rendered, **static, **_routing_script(), "proxy.json": policy}


def _routing_script() -> dict[str, str]:
    package = sorted((paths.KEMI / "clearip_proxy").glob("*.py"))
    return {
        str(source.relative_to(paths.KEMI)): source.read_text()
        for source in (paths.KEMI / "proxy.py", *package)
    }


def template_values(
    config: ProxyConfig,
    directory: Path,
    listeners: tuple[Listener, ...],
    version: KamailioVersion,
    own_certificate: CertificateFiles,
) -> dict[str, Any]:
    """Return every value that the templates print."""
    tls = config.clearip.tls
    return {
        "version": __version__,
        "directory": directory,
        "rpc_socket": directory / RPC_SOCKET,
        "udp_workers": UDP_WORKERS,
        "tcp_workers": version.tcp_workers,
        "async_workers": ASYNC_WORKERS,
        "tls_threads_mode": 2 if version.has_tls_threads_mode else None,
        "listeners": [
            {"socket": listener.socket, "advertise": _advertise_clause(listener)}
            for listener in listeners
        ],
        "tcp_connect_timeout_s": _connect_timeout_s(config),
        "max_invite_lifetime_ms": config.targets.search_timeout_ms + LONGEST_CLEARIP_QUERY_S * 1000,
        "keepalive_s": config.clearip.keepalive_s,
        "sites": [
            {"uri": uri, "priority": len(config.clearip.sites) - position}
            for position, uri in enumerate(_site_uris(config))
        ],
        "server_certificate": own_certificate.certificate,
        "server_private_key": own_certificate.private_key,
        "ca_file": _ca_file(tls.ca_file),
        "client_certificate": tls.certificate,
        "client_private_key": tls.private_key,
    }


def _advertise_clause(listener: Listener) -> str:
    if listener.advertised is None:
        return ""
    return f" advertise {listener.advertised}:{listener.port}"


def _connect_timeout_s(config: ProxyConfig) -> int:
    """Give up connecting no later than the shorter of the waits for a response, in seconds."""
    shortest_ms = min(config.clearip.response_timeout_ms, config.targets.no_response_timeout_ms)
    return math.ceil(shortest_ms / 1000)


def _site_uris(config: ProxyConfig) -> tuple[str, ...]:
    return tuple(
        f"sip:{in_uri(site.host)}:{site.port};transport=tls" for site in config.clearip.sites
    )


def _ca_file(ca_file: str | Path) -> str:
    if ca_file != "system":
        return str(ca_file)
    candidates = (ssl.get_default_verify_paths().cafile, *SYSTEM_CA_FILES)
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return candidate
    message = f"clearip.tls.ca_file: no system bundle in {', '.join(SYSTEM_CA_FILES)}"
    raise NoSystemAuthorities(message)


def policy_values(config: ProxyConfig, listeners: tuple[Listener, ...]) -> Mapping[str, Any]:
    """Return what the routing script reads: the policy without what Kamailio itself does."""
    clearip, targets = config.clearip, config.targets
    return {
        "clearip": {
            "domain": clearip.domain.lower(),
            "server_name": clearip.tls.server_name,
            "partition": clearip.partition,
            "response_timeout_ms": clearip.response_timeout_ms,
            "on_no_route": clearip.on_no_route,
            "on_unavailable": clearip.on_unavailable,
            "sites": _site_uris(config),
            "answers": {},
            "diversion_hosts": ["captcha.clearip.com"],
            "to_uri_is_route": False,
            "send_source_device": False,
        },
        "targets": {
            "no_response_timeout_ms": targets.no_response_timeout_ms,
            "answer_timeout_ms": targets.answer_timeout_ms,
            "search_timeout_ms": targets.search_timeout_ms,
            "advance_on": sorted(targets.advance_on),
            "aliases": {name.lower(): uri for name, uri in targets.aliases.items()},
            "identity_max_age_s": 60,
            "on_stale_identity": "continue",
        },
        "trusted": _trusted_values(config, listeners),
        "default_route": list(config.default_route),
        "emergency": {
            "numbers": list(config.emergency.numbers),
            "prefixes": [],
            "route": list(config.emergency.route),
        },
        "headers": {
            "copy": list(config.headers.copy),
            "identity": config.headers.identity,
            "display_names": [],
        },
        "own": sorted(_own(listeners)),
    }


def _trusted_values(
    config: ProxyConfig, listeners: tuple[Listener, ...]
) -> list[dict[str, str | None]]:
    """List the trusted sources; the host itself is one, or nobody could ask it how it is."""
    configured = [
        {"network": str(source.network), "name": source.name, "partition": source.partition}
        for source in config.trusted
    ]
    own = dict.fromkeys(str(listener.address) for listener in listeners)
    return configured + [{"network": host, "name": None, "partition": None} for host in own]


def _own(listeners: tuple[Listener, ...]) -> set[str]:
    advertised = {
        f"{listener.advertised.lower()}:{listener.port}"
        for listener in listeners
        if listener.advertised is not None
    }
    return advertised | {listener.host_port for listener in listeners}


def certificate_files(
    config: ProxyConfig, directory: Path, listeners: tuple[Listener, ...]
) -> CertificateFiles:
    """Return the files of the proxy's own certificate; make them where none are configured.

    A pair that was made before stays: switches may have been told to trust it.
    """
    listen = config.listen
    if listen.tls_certificate is not None and listen.tls_private_key is not None:
        return CertificateFiles(listen.tls_certificate, listen.tls_private_key)
    directory = directory.resolve()
    files = CertificateFiles(directory / CERTIFICATE_FILE, directory / PRIVATE_KEY_FILE)
    if not files.certificate.exists():
        directory.mkdir(parents=True, exist_ok=True)
        self_signed(_certificate_names(config, listeners)).write(*files)
    return files


def _certificate_names(config: ProxyConfig, listeners: tuple[Listener, ...]) -> list[str]:
    names = [str(listener.address) for listener in listeners if listener.transport == "tls"]
    advertised = [config.listen.advertise] if config.listen.advertise is not None else []
    return list(dict.fromkeys((*advertised, *names))) or ["localhost"]
