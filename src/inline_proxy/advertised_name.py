"""Whether Kamailio can start with the name that it is to advertise."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address

from inline_proxy.kamailio_version import KamailioVersion
from inline_proxy.listeners import Listener


def unresolved(listeners: Iterable[Listener], version: KamailioVersion) -> tuple[str, ...]:
    """Return a sentence for a name that has no address, where this Kamailio needs one to start.

    It would otherwise start without the listeners that advertise it.
    """
    if version.opens_listeners_with_unresolved_names:
        return ()
    advertised = {listener.advertised for listener in listeners if listener.advertised}
    return tuple(
        f"listen.advertise: {name} has no address in the DNS, and Kamailio {version} opens no "
        "listener without; put it into /etc/hosts, or give an address instead"
        for name in sorted(advertised)
        if not _is_address(name) and not _resolves(name)
    )


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _resolves(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return False
    return True
