"""From the files that Kamailio runs with to those that it is to run with."""

import pytest

from inline_proxy.reload_plan import Plan, new_listeners, plan

KAMAILIO = """\
debug=1
children=4
listen=udp:192.0.2.1:5060
tcp_connect_timeout=2
tcp_send_timeout=2
modparam("tm", "max_inv_lifetime", 150000)
"""
RUNNING = {
    "kamailio.cfg": KAMAILIO,
    "proxy.json": "{}",
    "dialog-keys": "00",
    "tls.cfg": "[server:default]",
    "tls.sha256": "00  /a.pem",
    "packet-filter.nft": "table",
    "modules.cfg": "loadmodule",
    "clearip_proxy/search.py": "pass",
}


def changed(**texts: str) -> Plan:
    """The plan when these files, named with _ for . and -, have another text."""
    names = {name.replace(".", "_").replace("-", "_").replace("/", "_"): name for name in RUNNING}
    return plan(RUNNING, RUNNING | {names[name]: text for name, text in texts.items()})


def test_nothing_is_done_when_nothing_has_changed() -> None:
    """Not even a reload."""
    assert plan(RUNNING, RUNNING).is_empty
    assert plan(RUNNING, RUNNING) == Plan()


@pytest.mark.parametrize(
    ("file", "orders", "renews_policy"),
    [
        ("proxy_json", (), True),
        ("dialog_keys", (), True),
        ("tls_cfg", (("tls.reload",),), False),
        ("tls_sha256", (("tls.reload",),), False),
        ("packet_filter_nft", (), False),
    ],
)
def test_file_that_can_be_read_again_needs_no_restart(
    file: str,
    orders: tuple[object, ...],
    renews_policy: bool,  # noqa: FBT001 - what is expected
) -> None:
    """It is replaced, and Kamailio is told where it does not look itself."""
    todo = changed(**{file: "other"})

    assert (todo.orders, todo.renews_policy) == (orders, renews_policy)
    assert todo.restarts == ()
    assert len(todo.reloads) == 1
    assert len(todo.changed) == 1


def test_settings_and_certificate_of_tls_are_reloaded_once() -> None:
    """One order is enough."""
    assert changed(tls_cfg="other", tls_sha256="other").orders == (("tls.reload",),)


def test_timeouts_are_changed_while_calls_go_on() -> None:
    """By an order each, and without a restart."""
    todo = changed(kamailio_cfg=KAMAILIO.replace("timeout=2", "timeout=3").replace("150", "120"))

    assert todo.restarts == ()
    assert set(todo.orders) == {
        ("cfg.set_now_int", "tcp", "connect_timeout", 3),
        ("cfg.set_now_int", "tcp", "send_timeout", 3),
        ("cfg.set_now_int", "tm", "max_inv_lifetime", 120000),
    }


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("udp:192.0.2.1:5060", "udp:192.0.2.1:5080", "listeners"),
        ("children=4", "children=8", "worker counts"),
        ("debug=1", "debug=2", "kamailio.cfg: debug=2"),
    ],
)
def test_other_setting_of_kamailio_needs_a_restart_that_names_it(
    old: str, new: str, reason: str
) -> None:
    """The operator is told beforehand."""
    assert changed(kamailio_cfg=KAMAILIO.replace(old, new)).restarts[0].startswith(reason)


def test_listener_that_goes_needs_a_restart() -> None:
    """Its line is only in the old file."""
    without = KAMAILIO.replace("listen=udp:192.0.2.1:5060\n", "")

    assert changed(kamailio_cfg=without).restarts == (
        "listeners: the sockets that are listened on",
    )


@pytest.mark.parametrize("file", ["modules_cfg", "clearip_proxy_search_py"])
def test_other_code_needs_a_restart(file: str) -> None:
    """Python keeps the modules that it has imported."""
    assert changed(**{file: "other"}).restarts == ("the release: its routing script or modules",)


def test_comment_needs_nothing_but_to_be_replaced() -> None:
    """It changes nothing that runs."""
    todo = changed(kamailio_cfg=f"# other\n{KAMAILIO}")

    assert (todo.restarts, todo.orders) == ((), ())


def test_added_listeners_are_known_apart() -> None:
    """Whether they can be opened is asked before anything is ended."""
    added = KAMAILIO + "listen=tcp:192.0.2.1:5060 advertise 198.51.100.1:5060\n"

    assert new_listeners(RUNNING, RUNNING | {"kamailio.cfg": added}) == {"tcp:192.0.2.1:5060"}
