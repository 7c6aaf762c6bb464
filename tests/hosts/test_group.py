"""Nodes of a group: a floating address, and upgrades one node after the other."""

import secrets
from pathlib import Path

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours
from hosts.playbook import deploy, variables
from hosts.waiting import wait_until

pytestmark = pytest.mark.timeout(900)
NOBODY = "10.77.0.251"
"""An address at which no host is."""


def test_node_is_drained_upgraded_and_takes_calls_again(
    host: FreshHost, archive: Path, neighbours: Neighbours, tmp_path: Path
) -> None:
    """Nothing is left of the draining."""
    recap = deploy(host, tmp_path, variables(archive, neighbours), playbook="upgrade.yml")

    assert recap.failed == 0, recap.output
    assert "draining: " not in host.run("inline-proxy status").out
    assert neighbours.call(host.address)


def test_upgrade_with_a_fault_leaves_the_node_drained_and_running(
    host: FreshHost, archive: Path, neighbours: Neighbours, tmp_path: Path
) -> None:
    """Calls stay with the other nodes, which nobody touches, until somebody has looked."""
    faulty = variables(archive, neighbours) | {"inline_proxy_config": {"nonsense": 1}}

    recap = deploy(host, tmp_path, faulty, playbook="upgrade.yml", and_then=NOBODY)

    assert recap.failed > 0
    assert "next-node" not in recap.output
    assert "draining: " in host.run("inline-proxy status").out
    assert neighbours.call(host.address)
    host.run("inline-proxy undrain")


def test_node_of_a_pair_takes_calls_at_the_floating_address(
    host: FreshHost, archive: Path, neighbours: Neighbours, tmp_path: Path
) -> None:
    """The other node of the pair is not there at all; afterwards all is as it was."""
    floating = f"10.77.0.{200 + int(host.address.rpartition('.')[2])}"
    config = dict(neighbours.configuration) | {
        "listen": {"addresses": [floating], "floating": True},
        "cluster": {
            "address": host.address,
            "peers": ["10.77.0.250"],
            "port": 5070,
            "interface": "eth0",
        },
        "dialog": {"key_file": "/etc/inline-proxy/dialog-keys"},
    }
    pair = variables(archive, neighbours) | {
        "inline_proxy_config": config,
        "inline_proxy_ha": True,
        "inline_proxy_dialog_keys": secrets.token_hex(32),
    }

    recap = deploy(host, tmp_path, pair)
    assert recap.failed == 0, recap.output
    wait_until(lambda: floating in host.run("ip address show eth0").out, "it has the address")
    took_the_call = neighbours.call(floating)
    wait_until(
        lambda: "1 of 2 nodes heard" in host.try_run("inline-proxy status").out,
        "it has told the other node, and not heard it",
    )
    rules = host.run("nft list chain inet inline_proxy cluster").out
    host.run("systemctl disable --now keepalived")
    restored = deploy(host, tmp_path, variables(archive, neighbours))

    assert took_the_call
    assert "ip saddr 10.77.0.250 accept" in rules
    assert restored.failed == 0, restored.output
    assert neighbours.call(host.address)
