"""The stand-in as the program that scripts start."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from inline_proxy.lab.certificates import LabFiles
from inline_proxy.lab.recording import read_record
from unit.lab.talker import request, talk

PROGRAM = (sys.executable, "-m", "inline_proxy.lab.clearip")


def free_port() -> int:
    """Give a port that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(port: int, arguments: Sequence[object]) -> Iterator[subprocess.Popen[str]]:
    """Start the program, wait for `ready`, end it."""
    process = subprocess.Popen(
        [*PROGRAM, "--listen", f"127.0.0.1:{port}", *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_call_over_tls_is_signed_answered_and_recorded(files: LabFiles, tmp_path: Path) -> None:
    """One JSON object per message, with what TLS told."""
    port, record = free_port(), tmp_path / "record.jsonl"
    pair = ("--cert", files.certificate, "--key", files.private_key)
    keys = ("--signing-key", files.signing_key, "--record", record)
    with (
        running(port, [*pair, *keys, "--carrier", "A=sip:127.0.0.1:7001;transport=tcp"]),
        talk(port, files.ca) as talker,
    ):
        reply = talker.call("+14045550101")

    assert reply.headers("contact") == ["<sip:+14045550101@127.0.0.1:7001;transport=tcp>;q=0.99"]
    assert reply.header("identity").endswith(";ppt=shaken")
    received, sent = read_record(record)
    assert (received.direction, sent.direction) == ("received", "sent")
    assert received.server_name == "sip.clearip.com"
    assert received.text == request("INVITE", "+14045550101")
    assert set(json.loads(record.read_text().splitlines()[0])) == {
        "time",
        "direction",
        "peer",
        "tls",
        "server_name",
        "text",
    }


def test_rules_take_the_place_of_the_plan(tmp_path: Path) -> None:
    """A test says what ClearIP answers."""
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps([{"user": "^7$", "status": 608, "reason": "Rejected [user]"}]))
    port = free_port()
    with (
        running(port, ["--plain", "--answers", answers, "--options-status", 403]),
        talk(port, None) as talker,
    ):
        assert talker.call("7").start_line == "SIP/2.0 608 Rejected [user]"
        assert talker.call("+14045550141").status == 500
        talker.say(request("OPTIONS", "ping"))
        assert talker.hear().status == 403


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """Also with a connection open."""
    port = free_port()
    with running(port, ["--plain"]) as process, talk(port, None) as talker:
        talker.call("+14045550163".replace("163", "141"))
        process.send_signal(number)

        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "clearip: give --cert and --key, or --plain\n"),
        (["--plain", "--answers", "/nowhere"], "No such file"),
        (["--plain", "--listen", "6061"], "'6061' is not HOST:PORT"),
        (["--plain", "--carrier", "A=127.0.0.1"], "is not NAME=sip:HOST:PORT"),
        (["--plain", "--listen", "192.0.2.1:1"], "clearip: "),
    ],
)
def test_what_is_missing_is_told(arguments: list[str], complaint: str) -> None:
    """In one line on standard error, without a traceback."""
    ended = subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=20, check=False
    )

    assert ended.returncode in {1, 2}
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr
