"""From the validated configuration to the files that Kamailio reads.

Everything is worked out here; the templates only print. The result is complete in itself: the
routing script is copied beside its policy, so a directory is one version of the whole.
"""

import hashlib
import json
import math
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from inline_proxy import __version__, paths
from inline_proxy.certificates import write_atomically
from inline_proxy.config.cluster import Cluster
from inline_proxy.config.faults import Refused
from inline_proxy.config.model import ProxyConfig
from inline_proxy.config.tracing import Tracing
from inline_proxy.dialog_keys import KEY_FILE, dialog_keys, key_file
from inline_proxy.kamailio_version import KamailioVersion
from inline_proxy.listeners import (
    Listener,
    cluster_listeners,
    has_a_choice_of_addresses,
    in_uri,
)
from inline_proxy.own_certificate import CertificateFiles, make_missing, own_certificate
from inline_proxy.packet_filter import PACKET_FILTER_FILE, packet_filter
from inline_proxy.routing_policy import EventPlaces, policy_values
from inline_proxy.sending_addresses import Interface, sending_values
from inline_proxy.shared_memory import READ_BUFFER_BYTES, most_connections
from inline_proxy.template_environment import template_environment
from inline_proxy.workers import udp_workers

TEMPLATES = ("kamailio.cfg", "tls.cfg")
STATIC_FILES = ("modules.cfg", "modparams.cfg")
POLICY = "proxy.json"
"""What the routing script reads."""
TLS_FILES = "tls.sha256"
"""The checksums of the files that `tls.cfg` names."""
GENERATION_FILE = "policy-generation"
"""A counter that every process of Kamailio watches: it reads the policy again when it changes."""
GENERATION_BYTES = 8
RPC_SOCKET = "rpc.sock"
CONTROL_SOCKET = "control.sock"
SPOOL = "events"
"""The directory of the state directory in which Kamailio tells of calls."""
EVENT_MEMORY = "events-in-memory"
"""The directory of the runtime directory, which lies in memory, in which it does so first."""
LONGEST_SOCKET_PATH = 104
"""Bytes; Kamailio's own limit for a unix socket."""
ASYNC_WORKERS = 8
IDLE_CONNECTION_S = 3600
"""Shorter than the life of a connection that the routing script has heard a message on."""
LONGEST_CLEARIP_QUERY_S = 30
"""What the transaction of an INVITE may last besides the search."""
SYSTEM_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat
)
PRIVATE_FILE = 0o600


class Host(NamedTuple):
    """What the files depend on besides the configuration."""

    listeners: tuple[Listener, ...]
    kamailio: KamailioVersion
    user_id: int = 0
    """The number of the user that Kamailio runs as."""
    processors: int = 2
    kernel_passes_over: bool = False
    """Whether the kernel prefers to send from addresses that are not listened on."""
    interfaces: tuple[Interface, ...] = ()
    """The addresses of the host, each with its network."""


class CannotRender(RuntimeError):
    """Something besides the configuration is missing or does not fit; the text says what."""


def render(
    config: ProxyConfig, host: Host, directory: Path, state_directory: Path | None = None
) -> None:
    """Write every file that Kamailio needs into the directory, each in one step.

    What the proxy makes itself, a certificate and a key for its dialogs, lies in the state
    directory, if one is given, and stays when it is there already. Raises `CannotRender` before
    anything else is written, and `OSError`.
    """
    directory = directory.resolve()
    files = rendered_files(config, host, directory, state_directory or directory)
    for name, text in files.items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text.encode(), PRIVATE_FILE)
    if not (directory / GENERATION_FILE).exists():
        write_atomically(directory / GENERATION_FILE, bytes(GENERATION_BYTES), PRIVATE_FILE)


def rendered_files(
    config: ProxyConfig, host: Host, directory: Path, state_directory: Path
) -> dict[str, str]:
    """Return the text of every file by its name in the directory, whose absolute path is given.

    What is missing in the state directory is made. Raises `CannotRender` and `OSError`.
    """
    certificate = own_certificate(config.listen, state_directory)
    files = _texts(config, host, directory, certificate)
    sending = sending_values(
        host.listeners, host.interfaces, kernel_passes_over=host.kernel_passes_over
    )
    events = EventPlaces(state_directory.resolve() / SPOOL, directory / EVENT_MEMORY)
    policy = policy_values(config, host.listeners, events, sending)
    certificate.certificate.parent.mkdir(parents=True, exist_ok=True)
    make_missing(certificate, config.listen, host.listeners)
    tls = config.clearip.tls
    pem_files = (*certificate, tls.certificate, tls.private_key, config.listen.tls_client_ca_file)
    return files | {
        POLICY: json.dumps(policy, indent=1) + "\n",
        KEY_FILE: _dialog_keys(config, state_directory),
        TLS_FILES: _fingerprints((*pem_files, Path(_ca_file(tls.ca_file)))),
    }


def _fingerprints(files: Iterable[Path | None]) -> str:
    """Tell apart what the files of the TLS configuration hold: a renewed certificate shows."""
    hashed = ((file, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files if file)
    return "".join(f"{digest}  {file}\n" for file, digest in hashed)


def _dialog_keys(config: ProxyConfig, state_directory: Path) -> str:
    file = key_file(config.dialog, state_directory)
    try:
        return dialog_keys(file)
    except Refused as refused:
        raise CannotRender(f"{file}: {refused.wrong}") from refused


def _texts(
    config: ProxyConfig, host: Host, directory: Path, certificate: CertificateFiles
) -> dict[str, str]:
    values = template_values(config, host, directory, certificate)
    environment = template_environment(paths.TEMPLATES)
    rendered = {name: environment.get_template(f"{name}.j2").render(values) for name in TEMPLATES}
    static = {name: (paths.KAMAILIO / name).read_text() for name in STATIC_FILES}
    return {**rendered, **static, **_routing_script()} | {
        PACKET_FILTER_FILE: packet_filter(config, host.listeners, host.user_id)
    }


def _routing_script() -> dict[str, str]:
    package = sorted((paths.KEMI / "clearip_proxy").rglob("*.py"))
    return {
        str(source.relative_to(paths.KEMI)): source.read_text()
        for source in (paths.KEMI / "proxy.py", *package)
    }


def _may_choose(host: Host) -> bool:
    """Tell whether the kernel may say which address to send from."""
    return has_a_choice_of_addresses(host.listeners) and not host.kernel_passes_over


def template_values(
    config: ProxyConfig, host: Host, directory: Path, certificate: CertificateFiles
) -> dict[str, Any]:
    """Return every value that the templates print; raises `CannotRender`."""
    tls = config.clearip.tls
    return {
        "version": __version__,
        "udp_workers": udp_workers(host.processors),
        "tcp_workers": host.kamailio.tcp_workers,
        "async_workers": ASYNC_WORKERS,
        "tls_threads_mode": 2 if host.kamailio.has_tls_threads_mode else None,
        "drops_large_messages": host.kamailio.drops_large_messages,
        "listeners": [
            {"socket": listener.socket, "advertise": _advertise_clause(listener, host.listeners)}
            for listener in host.listeners
        ],
        "is_floating": config.listen.floating,
        "mhomed": "yes" if _may_choose(host) else "no",
        "most_connections": most_connections(),
        "read_buffer_bytes": READ_BUFFER_BYTES,
        "idle_connection_s": IDLE_CONNECTION_S,
        "first_message_s": config.listen.first_message_s,
        "tcp_connect_timeout_s": _connect_timeout_s(config),
        "max_invite_lifetime_ms": config.targets.search_timeout_ms + LONGEST_CLEARIP_QUERY_S * 1000,
        "rpc_socket": quoted(f"unix:{_socket(directory, RPC_SOCKET)}"),
        "control_socket": quoted(_socket(directory, CONTROL_SOCKET)),
        "tls_config": quoted(directory / "tls.cfg"),
        "routing_script": quoted(directory / "proxy.py"),
        "tracing": _tracing(config, host.listeners),
        "cluster": _cluster(config.cluster),
        "server_certificate": quoted(certificate.certificate),
        "server_private_key": quoted(certificate.private_key),
        "client_ca_file": config.listen.tls_client_ca_file
        and quoted(config.listen.tls_client_ca_file),
        "ca_file": quoted(_ca_file(tls.ca_file)),
        "client_certificate": tls.certificate and quoted(tls.certificate),
        "client_private_key": tls.private_key and quoted(tls.private_key),
    }


def quoted(text: str | Path) -> str:
    """Write a string as both of Kamailio's configuration languages read it."""
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _socket(directory: Path, name: str) -> Path:
    socket = directory / name
    excess = len(bytes(socket)) - LONGEST_SOCKET_PATH
    if excess > 0:
        message = f"{directory}: the path is {excess} bytes too long for Kamailio's control socket"
        raise CannotRender(f"{message}; give a shorter one (for run: TMPDIR)")
    return socket


def _advertise_clause(listener: Listener, listeners: tuple[Listener, ...]) -> str:
    """Advertise; where several sockets advertise the same, give each a name for Record-Route.

    By it a request in the dialog leaves through the socket on whose network the other end is.
    The name is the same at every start, and tells nobody the address.
    """
    if listener.advertised is None:
        return ""
    clause = f" advertise {listener.advertised}:{listener.port}"
    alike = [each for each in listeners if _shown_as(each) == _shown_as(listener)]
    if len(alike) == 1:
        return clause
    return f'{clause} name "{hashlib.sha256(listener.socket.encode()).hexdigest()[:8]}"'


def _shown_as(listener: Listener) -> tuple[str | None, ...]:
    return listener.transport, listener.advertised, str(listener.port)


def _cluster(cluster: Cluster) -> dict[str, Any] | None:
    """Return where the other nodes of a group are heard and told; None where nothing is shared."""
    for listener in cluster_listeners(cluster):
        peers = (f"sip:{in_uri(peer)}:{listener.port}" for peer in cluster.peers)
        return {
            "socket": listener.socket,
            "address": quoted(f"sip:{listener.host_port}"),
            "peers": list(map(quoted, peers)),
        }
    return None


def _tracing(config: ProxyConfig, listeners: tuple[Listener, ...]) -> dict[str, str] | None:
    """Return where copies of messages go and from which socket; None where there is none."""
    receiver = config.tracing.receiver
    sender = trace_sender(config.tracing, listeners)
    if receiver is None or sender is None:
        return None
    return {"receiver": quoted(f"sip:{receiver}"), "sender": quoted(f"sip:{sender.host_port}")}


def trace_sender(tracing: Tracing, listeners: Iterable[Listener]) -> Listener | None:
    """Choose the socket that copies leave from: the first over UDP of the receiver's family."""
    if tracing.receiver is None:
        return None
    version = tracing.receiver.address.version
    return next(
        (each for each in listeners if each.transport == "udp" and each.address.version == version),
        None,
    )


def _connect_timeout_s(config: ProxyConfig) -> int:
    """Give up connecting no later than the shorter of the waits for a response, in seconds."""
    shortest_ms = min(config.clearip.response_timeout_ms, config.targets.no_response_timeout_ms)
    return math.ceil(shortest_ms / 1000)


def _ca_file(ca_file: str | Path) -> str:
    if ca_file != "system":
        return str(ca_file)
    for candidate in (ssl.get_default_verify_paths().cafile, *SYSTEM_CA_FILES):
        if candidate and Path(candidate).is_file():
            return candidate
    raise CannotRender(
        f"clearip.tls.ca_file: this host has no bundle of authorities ({SYSTEM_CA_FILES[0]}); "
        "install ca-certificates, or name a PEM file"
    )
