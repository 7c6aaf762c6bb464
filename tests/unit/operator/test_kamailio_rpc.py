"""Kamailio's control socket, with a stand-in for Kamailio behind it."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused

Answers = Callable[[dict[str, Any]], list[bytes]]


@contextmanager
def kamailio(path: Path, answers: Answers) -> Iterator[KamailioRpc]:
    """Answer one request with the datagrams given."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(5)

        def answer() -> None:
            request, requester = listening.recvfrom(65_536)
            for datagram in answers(json.loads(request)):
                listening.sendto(datagram, requester)

        thread = Thread(target=answer)
        thread.start()
        try:
            yield KamailioRpc(path, timeout_s=2)
        finally:
            thread.join()


def result(request: dict[str, Any], value: object) -> bytes:
    """The response that carries a value."""
    return json.dumps({"jsonrpc": "2.0", "result": value, "id": request["id"]}).encode()


def test_result_of_a_method_is_returned(tmp_path: Path) -> None:
    """Parameters arrive in order."""
    asked: list[dict[str, Any]] = []

    def answers(request: dict[str, Any]) -> list[bytes]:
        asked.append(request)
        return [result(request, {"used": 3})]

    with kamailio(tmp_path / "s", answers) as rpc:
        assert rpc.call("htable.get", "sites", 1) == {"used": 3}

    assert (asked[0]["method"], asked[0]["params"]) == ("htable.get", ["sites", 1])


def test_response_to_another_request_is_passed_over(tmp_path: Path) -> None:
    """Anyone on the host can send to an abstract address; nobody knows the id."""

    def answers(request: dict[str, Any]) -> list[bytes]:
        return [b'{"result": "forged", "id": "1"}', b"[]", b"{", result(request, "true")]

    with kamailio(tmp_path / "s", answers) as rpc:
        assert rpc.call("core.uptime") == "true"


def test_refusal_says_what_was_refused_and_why(tmp_path: Path) -> None:
    """The reason is Kamailio's."""

    def answers(request: dict[str, Any]) -> list[bytes]:
        error = {"code": 500, "message": "No such table"}
        return [json.dumps({"error": error, "id": request["id"]}).encode()]

    with (
        kamailio(tmp_path / "s", answers) as rpc,
        pytest.raises(RpcRefused, match=r"^htable\.get: No such table$"),
    ):
        rpc.call("htable.get", "none", "of")


def test_missing_socket_is_a_kamailio_that_cannot_be_reached(tmp_path: Path) -> None:
    """The text names the socket."""
    with pytest.raises(KamailioUnreachable, match=f"{tmp_path}/none: No such file"):
        KamailioRpc(tmp_path / "none").call("core.uptime")


def test_silence_is_a_kamailio_that_cannot_be_reached(tmp_path: Path) -> None:
    """The socket is there, and nobody behind it answers in time."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "s"))

        with pytest.raises(KamailioUnreachable, match="no answer in time"):
            KamailioRpc(tmp_path / "s", timeout_s=0.05).call("core.uptime")
