"""What must be done to a running Kamailio so that it follows other files: reload, or restart.

Pure: two sets of files in, a plan out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

Files = Mapping[str, str]
"""The text of every rendered file by its name."""
Order = tuple[str | int, ...]
"""An RPC method and its parameters."""

RELOADS: Final[Mapping[str, tuple[str, Order | None]]] = {
    "tls.cfg": ("TLS: settings", ("tls.reload",)),
    "tls.sha256": ("TLS: certificates", ("tls.reload",)),
    "proxy.json": ("policy: ClearIP sites, trusted sources, limits, routes, timeouts", None),
    "dialog-keys": ("keys that sign dialogs", None),
    "packet-filter.nft": ("packet filter", None),
}
"""What a file holds, and the order that has Kamailio read it again; None: it needs none."""
POLICY_FILES: Final = frozenset({"proxy.json", "dialog-keys"})
TIMEOUTS: Final = (
    (re.compile(r"tcp_connect_timeout=(\d+)"), ("tcp", "connect_timeout")),
    (re.compile(r"tcp_send_timeout=(\d+)"), ("tcp", "send_timeout")),
    (re.compile(r'modparam\("tm", "max_inv_lifetime", (\d+)\)'), ("tm", "max_inv_lifetime")),
)
"""Lines of kamailio.cfg that an order changes while calls go on."""
LISTENERS: Final = re.compile(r"listen=(.+)")
WORKERS: Final = re.compile(r"(?:tcp_|async_)?(?:children|workers)=")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done; without anything in it, nothing."""

    reloads: tuple[str, ...] = ()
    """What is read again, in words."""
    restarts: tuple[str, ...] = ()
    """What only a restart can change, in words."""
    orders: tuple[Order, ...] = ()
    renews_policy: bool = False
    changed: Files = field(default_factory=dict)
    """The files that are to be replaced."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changed


def plan(running: Files, wanted: Files) -> Plan:
    """Say what leads from the files that Kamailio runs with to those it is to run with."""
    changed = {name: text for name, text in wanted.items() if running.get(name) != text}
    settings = _settings(running.get("kamailio.cfg", ""), wanted["kamailio.cfg"])
    reloads = [RELOADS[name][0] for name in changed if name in RELOADS]
    orders = [RELOADS[name][1] for name in changed if name in RELOADS]
    return Plan(
        reloads=tuple(dict.fromkeys((*reloads, *(["timeouts"] if settings.orders else [])))),
        restarts=(*settings.restarts, *_of_the_release(changed)),
        orders=tuple(dict.fromkeys((*settings.orders, *filter(None, orders)))),
        renews_policy=not POLICY_FILES.isdisjoint(changed),
        changed=changed,
    )


def new_listeners(running: Files, wanted: Files) -> frozenset[str]:
    """Return the sockets, in Kamailio's notation, that are opened in addition."""
    return _sockets(wanted["kamailio.cfg"]) - _sockets(running.get("kamailio.cfg", ""))


def _sockets(text: str) -> frozenset[str]:
    return frozenset(found.split()[0] for found in LISTENERS.findall(text))


@dataclass(frozen=True, slots=True)
class _Settings:
    restarts: tuple[str, ...]
    orders: tuple[Order, ...]


def _settings(running: str, wanted: str) -> _Settings:
    """Sort the lines of kamailio.cfg that have come or gone."""
    before, after = running.splitlines(), wanted.splitlines()
    come = [line for line in after if line not in set(before)]
    gone = [line for line in before if line not in set(after)]
    orders = tuple(order for line in come if (order := _timeout(line)))
    restarts = (reason for line in (*come, *gone) if (reason := _restart_for(line)))
    return _Settings(tuple(dict.fromkeys(restarts)), orders)


def _timeout(line: str) -> Order | None:
    for pattern, (group, name) in TIMEOUTS:
        if match := pattern.fullmatch(line):
            return ("cfg.set_now_int", group, name, int(match[1]))
    return None


def _restart_for(line: str) -> str | None:
    if not line or line.startswith("#") or _timeout(line):
        return None
    if LISTENERS.fullmatch(line):
        return "listeners: the sockets that are listened on"
    if WORKERS.match(line):
        return "worker counts"
    return f"kamailio.cfg: {line}"


def _of_the_release(changed: Iterable[str]) -> Iterator[str]:
    """Modules, parameters and the routing script come with the release, not the configuration."""
    if any(name not in RELOADS and name != "kamailio.cfg" for name in changed):
        yield "the release: its routing script or modules"
