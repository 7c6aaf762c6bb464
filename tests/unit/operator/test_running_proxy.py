"""Giving a running Kamailio other files, with a control socket that refuses or takes orders."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from inline_proxy.installation import Installation
from inline_proxy.reload_plan import Plan
from inline_proxy.rendering import CONTROL_SOCKET, GENERATION_FILE
from inline_proxy.running_proxy import Unfit, carry_out

NEW = {"tls.cfg": "new"}
RELOAD_TLS = Plan(orders=(("tls.reload",),), changed=NEW)


class Kamailio(threading.Thread):
    """Takes orders on a control socket; refuses the first ones."""

    def __init__(self, directory: Path, refusals: int) -> None:
        super().__init__(daemon=True)
        self.orders: list[str] = []
        self._refusals = refusals
        self._directory = directory
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(directory / CONTROL_SOCKET))

    def run(self) -> None:
        """Answer each order, and note what the file held when it came."""
        while True:
            datagram, sender = self._socket.recvfrom(65_536)
            if not datagram:
                self._socket.close()
                return
            asked = json.loads(datagram)
            self.orders.append(f"{asked['method']} {(self._directory / 'tls.cfg').read_text()}")
            said: dict[str, object] = {"result": "Ok"}
            if len(self.orders) <= self._refusals:
                said = {"error": {"code": 500, "message": "no"}}
            answer = {"jsonrpc": "2.0", "id": asked["id"], **said}
            self._socket.sendto(json.dumps(answer).encode(), sender)

    def end(self) -> None:
        """End, by an empty order."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self._directory / CONTROL_SOCKET))
        self.join()


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A host whose proxy runs with old files."""
    installation = Installation(tmp_path)
    installation.runtime.mkdir(parents=True)
    (installation.runtime / "tls.cfg").write_text("old")
    (installation.runtime / GENERATION_FILE).write_bytes(bytes(8))
    return installation


@pytest.fixture
def refusals() -> int:
    """How many orders are refused."""
    return 0


@pytest.fixture
def kamailio(installation: Installation, refusals: int) -> Iterator[Kamailio]:
    """A Kamailio that runs."""
    running = Kamailio(installation.runtime, refusals)
    running.start()
    yield running
    running.end()


def counted(installation: Installation) -> int:
    """How often the policy was renewed."""
    return int.from_bytes((installation.runtime / GENERATION_FILE).read_bytes(), "little")


def test_files_are_there_when_the_order_comes(
    installation: Installation, kamailio: Kamailio
) -> None:
    """And a policy that has not changed is not read again."""
    carry_out(RELOAD_TLS, installation)

    assert kamailio.orders == ["tls.reload new"]
    assert counted(installation) == 0


def test_renewed_policy_advances_the_counter(installation: Installation) -> None:
    """That needs no answer of Kamailio's."""
    carry_out(Plan(renews_policy=True, changed={"proxy.json": "{}"}), installation)

    assert counted(installation) == 1


@pytest.mark.parametrize("refusals", [1])
def test_refused_order_brings_the_files_before_back_into_force(
    installation: Installation, kamailio: Kamailio
) -> None:
    """A configuration that does not work changes nothing."""
    with pytest.raises(Unfit, match="no; what was there before is in force again"):
        carry_out(RELOAD_TLS, installation)

    assert kamailio.orders == ["tls.reload new", "tls.reload old"]
    assert (installation.runtime / "tls.cfg").read_text() == "old"


def test_kamailio_that_is_gone_is_told_and_the_files_stay(installation: Installation) -> None:
    """The next start finds what belongs together."""
    with pytest.raises(Unfit, match="failed as well"):
        carry_out(RELOAD_TLS, installation)

    assert (installation.runtime / "tls.cfg").read_text() == "old"


def test_configuration_that_runs_is_kept_with_the_one_before(installation: Installation) -> None:
    """The same one twice does not push the other out."""
    installation.state.mkdir(parents=True)

    for text in (b"first", b"second", b"second"):
        installation.keep(text)

    assert installation.running_config.read_bytes() == b"second"
    assert installation.previous_config.read_bytes() == b"first"
