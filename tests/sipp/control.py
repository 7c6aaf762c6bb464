"""The control socket of a proxy that runs in a test."""

from pathlib import Path

from inline_proxy.kamailio_rpc import KamailioRpc, RpcRefused
from inline_proxy.rendering import CONTROL_SOCKET
from sipp.proxy import Proxy


def control_socket(proxy: Proxy) -> Path:
    """Where the running proxy's Kamailio takes orders."""
    (socket,) = proxy.directory.glob(f"inline-proxy-*/{CONTROL_SOCKET}")
    return socket


def control(proxy: Proxy) -> KamailioRpc:
    """Give orders to the running proxy's Kamailio."""
    return KamailioRpc(control_socket(proxy))


def counted(proxy: Proxy, what: str) -> int:
    """How often the running proxy has counted something, such as `stale_passports`."""
    try:
        return int(control(proxy).call("htable.get", "counters", what)["item"]["value"])
    except RpcRefused:
        return 0
