"""Which sockets cannot be opened on this host, why not, and what would help."""

import errno
import socket
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from inline_proxy.listeners import Address, Listener, interface_addresses

if TYPE_CHECKING:
    from inline_proxy.port_holder import PortHolder

IP_FREEBIND = 15
"""From <linux/in.h>: an address may be bound that the host does not hold, in both families."""
POLICY_FILE: Final = "proxy.json"
"""Every rendered directory has one."""
UNSEEN: Final = "a process that only root may see"


def busy(listeners: Iterable[Listener]) -> tuple[str, ...]:
    """Return a sentence for every socket that cannot be opened; the same one only once."""
    refused = ((listener, _refusal(listener)) for listener in listeners)
    return tuple(dict.fromkeys(_sentence(listener, error) for listener, error in refused if error))


def _refusal(listener: Listener) -> OSError | None:
    family = socket.AF_INET if listener.address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    kind = socket.SOCK_DGRAM if listener.transport == "udp" else socket.SOCK_STREAM
    try:
        with socket.socket(family, kind) as attempt:
            if listener.is_floating:
                attempt.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            if kind == socket.SOCK_STREAM:
                # Connections of a proxy that has just ended linger, and do not stop Kamailio.
                attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind((str(listener.address), listener.port))
    except OSError as error:
        return error
    return None


def _sentence(listener: Listener, error: OSError) -> str:
    port_key = "cluster.port" if listener.is_for_cluster else f"listen.{listener.transport}"
    match error.errno:
        case errno.EADDRNOTAVAIL if listener.is_for_cluster:
            return (
                f"cluster.address: {listener.address} is not an address of this host; "
                f"allowed: one of {', '.join(map(str, _addresses()))}"
            )
        case errno.EADDRNOTAVAIL:
            return (
                f"listen.addresses: {listener.address} is not an address of this host; "
                f"allowed: all, or some of {', '.join(map(str, _addresses()))}; "
                "for an address that moves between hosts: listen.floating: true"
            )
        case errno.EADDRINUSE:
            return (
                f"{port_key}: port {listener.port} of {listener.address} is taken by "
                f"{_holder(listener) or UNSEEN}; stop that, or give another port"
            )
        case errno.EACCES:
            return (
                f"{port_key}: port {listener.port} may be opened by root alone; "
                "start as root, or give a port from 1024 up"
            )
    return f"{port_key}: {listener.host_port} cannot be opened: {error.strerror}"


def _addresses() -> Iterator[Address]:
    for addresses in interface_addresses().values():
        yield from addresses


def held_by_the_proxy(listener: Listener) -> bool:
    """Tell whether it is a running proxy that has opened a socket, as far as may be known.

    Its Kamailio is known by the directory that it was told to run in, which holds a policy.
    """
    refusal = _refusal(listener)
    if refusal is None or refusal.errno != errno.EADDRINUSE:
        return False
    holder = _holder(listener)
    words = () if holder is None else holder.command
    directories = (after for word, after in pairwise(words) if word == "-Y")
    return any((Path(directory) / POLICY_FILE).exists() for directory in directories)


def _holder(listener: Listener) -> "PortHolder | None":
    # Where a service may not see the host's processes, psutil complains as soon as it is imported.
    from inline_proxy.port_holder import port_holder  # noqa: PLC0415

    return port_holder(listener)
