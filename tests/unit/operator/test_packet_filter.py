"""What the packet filter knows of the configuration; `test_golden_files.py` has it in full."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from inline_proxy.cli import main
from inline_proxy.config import ProxyConfig, parse_config
from inline_proxy.config.admin import Admin, Socket
from inline_proxy.listeners import Listener
from inline_proxy.packet_filter import Family, packet_filter, packet_filter_values

LISTENERS = (
    Listener("udp", ip_address("192.0.2.1"), 5060),
    Listener("tls", ip_address("2001:db8::1"), 5061),
    Listener("tls", ip_address("127.0.0.1"), 5081, is_for_outgoing=True),
)
USER_ID = 990


def families(config: ProxyConfig) -> list[Family]:
    """What is rendered for IPv4 and for IPv6."""
    rendered: list[Family] = packet_filter_values(config, LISTENERS, USER_ID)["families"]
    return rendered


def test_sockets_are_those_that_others_may_reach() -> None:
    """TLS runs over TCP; a socket for the proxy's own connections is nobody's business."""
    ipv4, ipv6 = families(ProxyConfig())

    assert ipv4.sockets == ("192.0.2.1 . udp . 5060",)
    assert ipv6.sockets == ("2001:db8::1 . tcp . 5061",)


def test_networks_that_overlap_stand_once() -> None:
    """An interval that is given twice would be refused."""
    ipv4, ipv6 = families(parse_config("trusted: [10.0.0.0/8, 10.1.0.0/16, 2001:db8::/32]"))

    assert ipv4.trusted == ("10.0.0.0/8",)
    assert ipv6.trusted == ("2001:db8::/32",)


def test_configured_targets_are_let_in_by_their_addresses() -> None:
    """Names are learned when they are called; nobody resolves them here."""
    ipv4, ipv6 = families(
        parse_config(
            'default_route: ["sip:192.0.2.30", "sip:gw.example.net"]\n'
            'emergency: {route: ["sip:1@192.0.2.31:5070;transport=tcp"]}\n'
            'targets: {aliases: {west: "sip:[2001:db8:5::7]:5060"}}\n'
            "packet_filter: {carriers: [203.0.113.0/24]}\n"
        )
    )

    assert ipv4.carriers == ("192.0.2.30/31", "203.0.113.0/24")
    assert ipv6.carriers == ("2001:db8:5::7/128",)


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("127.0.0.1", "ip daddr 127.0.0.1 tcp dport 8080"),
        ("::1", "ip6 daddr ::1 tcp dport 8080"),
        ("0.0.0.0", "tcp dport 8080"),  # noqa: S104 - every address, as the operator may want it
    ],
)
def test_admin_port_is_told_by_its_address(address: str, match: str) -> None:
    """The same port of another address belongs to somebody else."""
    config = ProxyConfig(admin=Admin(Socket(ip_address(address), 8080)))

    lines = packet_filter(config, LISTENERS, USER_ID).splitlines()

    assert f"\t\t{match} jump admin" in lines


def test_admin_that_is_off_needs_no_rule() -> None:
    """Nor does anybody learn its port."""
    text = packet_filter(ProxyConfig(admin=Admin(None)), LISTENERS, USER_ID)

    assert "8080" not in text
    assert "chain admin" not in text


def test_no_table_but_its_own_is_touched() -> None:
    """What the host filters besides is its own affair."""
    text = packet_filter(ProxyConfig(), LISTENERS, USER_ID)
    commands = [line.split() for line in text.splitlines() if line and line[0] not in "#\t}"]

    assert {tuple(words[:1]) for words in commands} == {("table",), ("flush",), ("add",)}
    assert all("inline_proxy" in words for words in commands)
    assert "flush ruleset" not in text


def test_command_prints_the_rules_for_this_host(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written, and no Kamailio needs to be there."""
    config = tmp_path / "config.yaml"
    config.write_text("listen: {addresses: [127.0.0.1]}\n")

    with pytest.raises(SystemExit) as ended:
        main(["packet-filter", str(config)])

    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (0, "")
    assert "127.0.0.1 . udp . 5060" in out
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


def test_command_with_an_invalid_configuration_prints_no_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a filter would be worse than none."""
    config = tmp_path / "config.yaml"
    config.write_text("packet_filter: {carriers: [10.0.0.1/8]}\n")

    with pytest.raises(SystemExit) as ended:
        main(["packet-filter", str(config)])

    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert "packet_filter.carriers[0]: has address bits after its prefix" in err
