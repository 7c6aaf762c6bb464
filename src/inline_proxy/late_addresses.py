"""Addresses that come after the service has been started, as those of a tunnel or a slow link do.

The service waits a while for them, and is started again if they have not come by then: each try
lasts so long that systemd's limit of starts is never met, and it goes on until they come.
"""

import time
from collections.abc import Callable

from inline_proxy.config.listen import Listen
from inline_proxy.listeners import (
    Interfaces,
    NoSuchListener,
    interface_addresses,
    listeners,
)

PATIENCE_S = 10.0
"""With 100 starts in ten minutes as systemd's limit, anything above six seconds will do."""
POLL_INTERVAL_S = 0.2


def missing(listen: Listen, interfaces: Interfaces) -> str | None:
    """Say which address of `listen` this host does not have; None when it has all of them."""
    try:
        wanted = listeners(listen, interfaces)
    except NoSuchListener as none:
        return str(none)
    held = {address for addresses in interfaces.values() for address in addresses}
    absent = (each.address for each in wanted if not each.is_floating and each.address not in held)
    first = next(absent, None)
    return None if first is None else f"listen.addresses: {first} is not an address of this host"


def wait_for_addresses(
    listen: Listen,
    say: Callable[[str], None],
    *,
    patience_s: float = PATIENCE_S,
    look: Callable[[], Interfaces] = interface_addresses,
) -> None:
    """Return when this host has every address, or when they have not come for a while."""
    until_s = time.monotonic() + patience_s
    lacking = missing(listen, look())
    if lacking is not None:
        say(f"waiting for an address: {lacking.partition(';')[0]}")
    while lacking is not None and time.monotonic() < until_s:
        time.sleep(POLL_INTERVAL_S)
        lacking = missing(listen, look())
