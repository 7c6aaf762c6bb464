"""The lab before anything runs: ports, configuration, addresses to show."""

import json
import socket
from pathlib import Path

import pytest

from inline_proxy.config import parse_config
from inline_proxy.lab import stage as stage_module
from inline_proxy.lab.answers import PLAN
from inline_proxy.lab.certificates import LabFiles
from inline_proxy.lab.invitation import invitation
from inline_proxy.lab.stage import CARRIERS, Ports, choose_ports, configuration, free_port

PORTS = Ports(5060, 5061, 6061, {"A": 7001, "G": 7007}, 8080)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_preferred_port_is_left_when_either_transport_has_it(kind: socket.SocketKind) -> None:
    """The proxy listens on UDP and TCP with the same number."""
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        assert free_port(socket.SOCK_STREAM, port) != port


def test_preferred_port_is_taken_when_it_is_free() -> None:
    """A lab on the usual ports is easier to follow."""
    port = free_port(socket.SOCK_STREAM)

    assert free_port(socket.SOCK_STREAM, port) == port


def test_lab_for_everybody_is_on_the_ports_of_sip(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever points a phone at it must know them; if they are taken, the proxy says so."""
    monkeypatch.setattr(stage_module, "_is_free", lambda *_: False)

    everywhere = choose_ports(everywhere=True)
    assert (everywhere.sip, everywhere.sips) == (5060, 5061)
    assert choose_ports(everywhere=False).sip != 5060
    assert list(everywhere.carriers) == list(CARRIERS)


@pytest.mark.parametrize("everywhere", [True, False])
def test_configuration_of_the_lab_is_valid(files: LabFiles, *, everywhere: bool) -> None:
    """The operator's command takes it as it takes any other."""
    settings = configuration(PORTS, files, everywhere=everywhere)
    config = parse_config(json.dumps(settings))

    assert config.clearip.sites[0].port == 6061
    assert config.clearip.tls.ca_file == files.ca
    assert (config.listen.addresses == "all") is everywhere


def test_invitation_has_ports_and_every_number(tmp_path: Path) -> None:
    """All that a person needs, and how to end it."""
    lines = list(invitation(PORTS, tmp_path))
    text = "\n".join(lines)

    assert "   127.0.0.1   port 5060 (UDP, TCP) or 5061 (TLS)" in lines
    assert "http://127.0.0.1:8080/" in text
    assert all(entry.number in text and entry.meaning in text for entry in PLAN)
    assert str(tmp_path) in text
    assert lines[-1] == "Ctrl-C ends the lab."
