"""How much is logged, and changing that while the proxy runs."""

from enum import IntEnum
from typing import Final

from inline_proxy.kamailio_rpc import KamailioRpc

VARIABLE: Final = ("core", "debug")


class LogLevel(IntEnum):
    """Kamailio's levels, by the words of syslog; each holds those above it."""

    ERROR = -1
    WARNING = 0
    NOTICE = 1
    """The proxy's decisions: the level that it starts with."""
    INFO = 2
    """What Kamailio tells of itself."""
    DEBUG = 3
    """All that Kamailio knows, many lines per message."""


def current_level(kamailio: KamailioRpc) -> int:
    """Ask for the level; raises `KamailioUnreachable` and `RpcRefused`."""
    return int(kamailio.call("cfg.get", *VARIABLE))


def change_level(kamailio: KamailioRpc, level: LogLevel) -> None:
    """Change the level until the next start; raises `KamailioUnreachable` and `RpcRefused`."""
    kamailio.call("cfg.set_now_int", *VARIABLE, int(level))
