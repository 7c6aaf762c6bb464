"""What keepalived is told, and what tells it whether a node works."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from inline_proxy.busy_ports import busy
from inline_proxy.cli import main
from inline_proxy.config import parse_config
from inline_proxy.floating_address import NODE_CHECK, keepalived_conf
from inline_proxy.listeners import listeners

PAIR = """
listen: {addresses: [192.0.2.10, "2001:db8::10", 192.0.2.20], floating: true}
cluster: {address: 192.0.2.1, peers: [192.0.2.2], interface: ens3, virtual_router_id: 7}
"""


def block(text: str, name: str) -> list[str]:
    """The words of a block of keepalived.conf."""
    return text.split(f"{name} {{\n")[1].split("}", maxsplit=1)[0].split()


def test_floating_addresses_of_both_families_are_kept_together() -> None:
    """One family is advertised, as VRRP wants it; the other goes with it."""
    text = keepalived_conf(parse_config(PAIR))

    on = ["dev", "ens3"]
    assert block(text, "virtual_ipaddress") == ["192.0.2.10", *on, "192.0.2.20", *on]
    assert block(text, "virtual_ipaddress_excluded") == ["2001:db8::10", *on]
    assert block(text, "unicast_peer") == ["192.0.2.2"]
    assert "virtual_router_id 7\n" in text


def test_keepalived_understands_what_it_is_told(tmp_path: Path) -> None:
    """By its own judgement."""
    file = tmp_path / "keepalived.conf"
    file.write_text(keepalived_conf(parse_config(PAIR)).replace("ens3", "lo"))

    judged = subprocess.run(
        ["keepalived", "--config-test", f"--use-file={file}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Unknown keyword" not in judged.stderr
    assert "missing" not in judged.stderr


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("{}", "listen.floating: is false"),
        ("listen: {addresses: [192.0.2.10], floating: true}", "cluster.address: is missing"),
        (
            "listen: {addresses: [192.0.2.10], floating: true}\ncluster: {address: 192.0.2.1}",
            "cluster.peers: is empty",
        ),
    ],
)
def test_what_a_pair_lacks_is_named(text: str, missing: str, tmp_path: Path) -> None:
    """Nothing is printed that keepalived could be given."""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    result = CliRunner().invoke(main, ["keepalived", str(file)])

    assert result.exit_code == 2
    assert missing in result.output


def test_address_that_is_elsewhere_now_is_no_fault_where_it_floats() -> None:
    """The sockets are there when the address comes."""
    config = parse_config(PAIR)

    assert busy(listeners(config.listen, {})) == ()


def checked(*arguments: str) -> int:
    """What the check of keepalived's says."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(NODE_CHECK), *arguments], check=False, timeout=10
    ).returncode


@pytest.mark.parametrize(("status", "code"), [("200 OK", 0), ("503 Service Unavailable", 1)])
def test_node_takes_calls_when_its_health_says_so(status: str, code: int, tmp_path: Path) -> None:
    """The observer's word is on its socket."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "status.sock"))
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(f"HTTP/1.0 {status}\r\n\r\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        assert checked("takes-calls", str(tmp_path)) == code
        thread.join()


@pytest.mark.parametrize(("says", "code"), [(b"SIP/2.0 503 x\r\n\r\n", 0), (b"", 1)])
def test_node_that_has_the_address_is_asked_there(says: bytes, code: int, tmp_path: Path) -> None:
    """Any answer is one, and a datagram may be lost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as kamailio:
        kamailio.bind(("127.0.0.1", 0))

        def answer() -> None:
            for is_second in (False, True):
                _, sender = kamailio.recvfrom(2000)
                if is_second and says:
                    kamailio.sendto(says, sender)

        thread = threading.Thread(target=answer)
        thread.start()
        listener = f"udp,127.0.0.1,{kamailio.getsockname()[1]}"
        assert checked("answers", listener, str(tmp_path)) == code
        thread.join()


def test_node_without_address_and_without_kamailio_does_not_answer(tmp_path: Path) -> None:
    """Its control socket is not there; nor is a question understood that nobody asks."""
    assert checked("answers", "udp,192.0.2.10,5060", str(tmp_path)) == 1
    assert checked("what") == 1
