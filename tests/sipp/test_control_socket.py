"""Kamailio's JSON-RPC, as `status`, the metrics and a reload use it."""

import stat

import pytest

from inline_proxy.kamailio_rpc import RpcRefused
from sipp.control import control, control_socket
from sipp.proxy import Proxy

METHODS_WITHOUT_PARAMETERS = (
    "core.version",
    "core.uptime",
    "core.shmmem",
    "core.tcp_info",
    "core.psx",
    "tm.stats",
    "pkg.stats",
    "htable.stats",
    "tls.info",
    "tls.reload",
)


@pytest.mark.parametrize("method", METHODS_WITHOUT_PARAMETERS)
def test_running_kamailio_answers(proxy: Proxy, method: str) -> None:
    """Each of these is what the operator's command asks for."""
    assert control(proxy).call(method) is not None


def test_socket_is_for_the_service_and_its_group_alone(proxy: Proxy) -> None:
    """Whoever can write to it can stop the proxy."""
    assert stat.S_IMODE(control_socket(proxy).stat().st_mode) == 0o660


def test_log_level_is_changed_while_it_runs(proxy: Proxy) -> None:
    """What is set is what it says of itself; the test leaves it as it was."""
    rpc = control(proxy)

    before = rpc.call("cfg.get", "core", "debug")
    rpc.call("cfg.set_now_int", "core", "debug", 2)
    during = rpc.call("cfg.get", "core", "debug")
    rpc.call("cfg.set_now_int", "core", "debug", before)

    assert (before, during, rpc.call("cfg.get", "core", "debug")) == (1, 2, 1)


def test_unknown_method_is_refused(proxy: Proxy) -> None:
    """An order that does not exist has no effect, and says so."""
    with pytest.raises(RpcRefused, match=r"^core\.nonsense: "):
        control(proxy).call("core.nonsense")
